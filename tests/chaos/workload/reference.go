package workload

// Expected is what must have happened at a stage.
type Expected struct {
	Reads    []map[Token]bool   // by input, all that comes
	Poison   []map[Token]bool   // by input, of these
	Accounts map[string]Account // by key, "" in a stage with one state for all
	Writes   [maxDestinations]map[Token]bool
}

// Account is what can be computed of a state.
type Account struct {
	In  [maxInputs]Total
	Out [maxDestinations]Total
}

// Total is what can be computed of a flow.
type Total struct{ N, Sum uint64 }

func (t *Total) add(token Token) {
	t.N++
	t.Sum += token.hash()
}

// Reference computes what must happen at each stage. What comes by ticks is not known before.
func Reference(s *Spec) []Expected {
	list := make([]Expected, len(s.Stages))
	for k := range s.Stages {
		e := &list[k]
		e.Accounts = map[string]Account{}
		for to := range e.Writes {
			e.Writes[to] = map[Token]bool{}
		}
		if s.Stages[k].Kind == Source {
			for n := range s.Stages[k].IDs {
				e.pass(s, k, -1, Token{ID: uint64(k)<<sourceShift | n})
			}
			continue
		}
		for n, i := range s.Stages[k].Inputs {
			e.Reads = append(e.Reads, list[i.Stage].Writes[i.Destination])
			e.Poison = append(e.Poison, map[Token]bool{})
			for token := range e.Reads[n] {
				if s.Poisoned(k, token) {
					e.Poison[n][token] = true
					continue
				}
				e.pass(s, k, n, token)
			}
		}
	}
	return list
}

// pass takes a token through a stage.
func (e *Expected) pass(s *Spec, stage, input int, t Token) {
	key := s.Stages[stage].key(t)
	a := e.Accounts[key]
	if input >= 0 {
		a.In[input].add(t)
	}
	s.outputs(stage, t, func(to int, child Token) {
		a.Out[to].add(child)
		e.Writes[to][child] = true
	})
	e.Accounts[key] = a
}
