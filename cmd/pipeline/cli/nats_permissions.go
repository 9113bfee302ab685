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
	"penstock/engine/rights"
)

var validName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// permissionsCmd is the verb nats-permissions.
type permissionsCmd struct {
	Pipeline string   `arg:"" help:"Name of the pipeline. It need not be part of this program."`
	Stages   []string `name:"stages" sep:"," placeholder:"A,B" help:"Names of its stages, separated by commas. They keep the user away from the streams of other pipelines. Default: the stages of the pipeline, when it is part of this program."`
	User     string   `default:"" placeholder:"NAME" help:"Name of the user. Default: the name of the pipeline."`
	Password string   `default:"" placeholder:"HASH" help:"Password to write: preferably a hash made by 'nats server passwd'. Default: a placeholder."`
	Account  string   `default:"" placeholder:"NAME" help:"Name of the account, which separates the streams of this user from those of others. Default: the name of the user, in capitals."`
	Inbox    string   `name:"inbox-prefix" placeholder:"PREFIX" help:"Prefix of the subjects of answers, as in run --nats-inbox-prefix. With a prefix of its own a user cannot listen to answers for others. Default: _INBOX."`
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
		return nil, flags.Usage("--inbox-prefix: %q is not a subject without wildcards, such as _INBOX_orders", c.Inbox)
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
			return nil, flags.Usage("%q cannot name a pipeline or stage: use 1 to 64 characters of A-Z a-z 0-9 _ -", name)
		}
	}
	return rights.Of(rights.Config{Pipeline: c.Pipeline, Stages: stages, InboxPrefix: c.Inbox}), nil
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
	fmt.Fprintf(&text, "# The permissions that the pipeline %s needs on a NATS server, and no others.\n", c.Pipeline)
	fmt.Fprint(&text, "# The configuration of the server also needs a block \"jetstream {}\" at its top level, with a store_dir.\n")
	if !known {
		fmt.Fprint(&text, "# Its stages are unknown here, so * allows streams of any name: name the stages with --stages.\n")
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
