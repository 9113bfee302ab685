package cli

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/flags"
	"penstock/engine"
	"penstock/engine/broker"
)

var validName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// permissionsCmd is the verb nats-permissions.
type permissionsCmd struct {
	Pipeline string   `arg:"" help:"Name of the pipeline, also one that is not part of this program."`
	Stages   []string `name:"stages" sep:"," placeholder:"A,B" help:"Names of its stages, separated by commas: the user may then touch no stream of other pipelines. Default: those of the pipeline when it is part of this program, else not known."`
	User     string   `default:"" placeholder:"NAME" help:"Name of the user. Default: that of the pipeline."`
	Password string   `default:"" placeholder:"HASH" help:"What to write as its password: better a hash of 'nats server passwd' than the password. Default: a text to be replaced."`
	Account  string   `default:"" placeholder:"NAME" help:"Name of the account, which keeps the streams of this user apart from those of others. Default: that of the user, in capitals."`
	Inbox    string   `name:"inbox-prefix" placeholder:"PREFIX" help:"What the subjects of answers begin with, as in run --nats-inbox-prefix. With one of its own a user cannot listen to the answers to others. Default: _INBOX."`
}

// Run prints the configuration.
func (c *permissionsCmd) Run(a *app.Invocation) error {
	own := c.own(a.Program)
	rights, err := c.rights(own)
	if err != nil {
		return err
	}
	return c.write(a.Stdout, rights, own != nil || len(c.Stages) > 0)
}

func (c *permissionsCmd) rights(own *engine.Pipeline) ([]broker.Right, error) {
	if strings.ContainsAny(c.Inbox, "*> \t\r\n\"") {
		return nil, flags.Usage("--inbox-prefix: %q is no subject without wildcards, such as _INBOX_orders", c.Inbox)
	}
	if own != nil {
		return own.Rights(c.Inbox), nil
	}
	var stages []string // nil: not known
	if len(c.Stages) > 0 {
		stages = c.Stages
	}
	for _, name := range append([]string{c.Pipeline}, stages...) {
		if !validName.MatchString(name) {
			return nil, flags.Usage("%q is no name of a pipeline or stage: use 1 to 64 of A-Z a-z 0-9 _ -", name)
		}
	}
	return engine.Rights(engine.RightsConfig{Pipeline: c.Pipeline, Stages: stages, InboxPrefix: c.Inbox}), nil
}

// own is the pipeline of this program whose stages are meant, nil if it is none.
func (c *permissionsCmd) own(program app.Program) *engine.Pipeline {
	p, found, err := program.Sketch(c.Pipeline)
	if !found || err != nil || p.Name() != c.Pipeline || len(c.Stages) > 0 {
		return nil
	}
	return p
}

// write writes an accounts block of nats-server. known says whether the names of
// the stages are.
func (c *permissionsCmd) write(w io.Writer, rights []broker.Right, known bool) error {
	user := cmp.Or(c.User, c.Pipeline)
	account := cmp.Or(c.Account, strings.ToUpper(user))
	var text strings.Builder
	fmt.Fprintf(&text, "# The rights that the pipeline %s needs on a NATS server, and no others.\n", c.Pipeline)
	if !known {
		fmt.Fprint(&text, "# Its stages are not known here, so * stands for streams of any name: name the stages with --stages.\n")
	}
	fmt.Fprintf(&text, "accounts {\n  %q: {\n    jetstream: enabled\n    users: [\n      {\n", account)
	fmt.Fprintf(&text, "        user: %q\n        password: %q\n        permissions: {\n", user, cmp.Or(c.Password, "REPLACE-ME"))
	for _, action := range []broker.Action{broker.Publish, broker.Subscribe} {
		verb, _, _ := strings.Cut(string(action), " ")
		fmt.Fprintf(&text, "          %s: { allow: [\n", verb)
		for _, r := range sortedRights(rights, action) {
			fmt.Fprintf(&text, "            %q  # %s\n", r.Subject, r.Use)
		}
		fmt.Fprint(&text, "          ] }\n")
	}
	fmt.Fprint(&text, "        }\n      }\n    ]\n  }\n}\n")
	if _, err := io.WriteString(w, text.String()); err != nil {
		return fmt.Errorf("write the permissions: %w", err)
	}
	return nil
}

func sortedRights(rights []broker.Right, action broker.Action) []broker.Right {
	of := slices.DeleteFunc(slices.Clone(rights), func(r broker.Right) bool { return r.Action != action })
	slices.SortFunc(of, func(a, b broker.Right) int { return strings.Compare(a.Subject, b.Subject) })
	return of
}
