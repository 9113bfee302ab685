package measure

import "math"

// A Snapshot is what a histogram had counted at a time. The zero value has
// counted nothing.
type Snapshot struct {
	Totals
	Buckets []Bucket // those that are not empty, ascending
}

// A Bucket counts the observations above the bound of the one before, up to its
// own.
type Bucket struct {
	Index int // as in Prometheus' native histograms: the bound is 2^(Index/8)
	Count uint64
}

// Bound is the largest value of the bucket.
func (b Bucket) Bound() float64 { return math.Exp2(float64(b.Index) / perDouble) }

// Since is what was counted after an earlier snapshot of the same histogram. Its
// Max is the bound of the largest bucket there was.
func (s Snapshot) Since(before Snapshot) Snapshot {
	d := Snapshot{Totals: Totals{Count: s.Count - before.Count, Sum: s.Sum - before.Sum}}
	k := 0
	for _, b := range s.Buckets {
		for k < len(before.Buckets) && before.Buckets[k].Index < b.Index {
			k++
		}
		if k < len(before.Buckets) && before.Buckets[k].Index == b.Index {
			b.Count -= before.Buckets[k].Count
		}
		if b.Count > 0 {
			d.Buckets = append(d.Buckets, b)
			d.Max = min(b.Bound(), s.Max)
		}
	}
	return d
}

// Plus is what two histograms have counted.
func (s Snapshot) Plus(other Snapshot) Snapshot {
	sum := Snapshot{Totals: Totals{Count: s.Count + other.Count, Sum: s.Sum + other.Sum, Max: max(s.Max, other.Max)}}
	a, b := s.Buckets, other.Buckets
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].Index < b[0].Index:
			sum.Buckets, a = append(sum.Buckets, a[0]), a[1:]
		case b[0].Index < a[0].Index:
			sum.Buckets, b = append(sum.Buckets, b[0]), b[1:]
		default:
			sum.Buckets = append(sum.Buckets, Bucket{a[0].Index, a[0].Count + b[0].Count})
			a, b = a[1:], b[1:]
		}
	}
	sum.Buckets = append(append(sum.Buckets, a...), b...)
	return sum
}

// Mean is the average, or 0 of nothing.
func (s Snapshot) Mean() float64 {
	if s.Count == 0 {
		return 0
	}
	return s.Sum / float64(s.Count)
}

// Quantile is the value that a share q of the observations does not exceed, with
// an error of at most 9 %; 0 of nothing.
func (s Snapshot) Quantile(q float64) float64 {
	if s.Count == 0 {
		return 0
	}
	rank := q * float64(s.Count)
	below := 0.0
	for _, b := range s.Buckets {
		if below+float64(b.Count) >= rank {
			within := max(rank-below, 0) / float64(b.Count)
			return min(math.Exp2((float64(b.Index)-1+within)/perDouble), s.Max)
		}
		below += float64(b.Count)
	}
	return s.Max
}

// Deviation is the standard deviation, as far as the buckets tell.
func (s Snapshot) Deviation() float64 {
	if s.Count == 0 {
		return 0
	}
	mean, squares := s.Mean(), 0.0
	for _, b := range s.Buckets {
		middle := math.Exp2((float64(b.Index) - 0.5) / perDouble)
		squares += float64(b.Count) * (middle - mean) * (middle - mean)
	}
	return math.Sqrt(squares / float64(s.Count))
}
