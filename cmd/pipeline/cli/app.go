package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"penstock/cmd/pipeline/internal/app"
	"penstock/cmd/pipeline/internal/flags"
	"penstock/cmd/pipeline/internal/render"
	"penstock/cmd/pipeline/internal/runcmd"
	"penstock/cmd/pipeline/internal/showcmd"
	"penstock/engine"
	"penstock/engine/remedy"
)

// App is a program: its name and its pipelines. Main makes it.
type App struct {
	// Name is what the program is called in its help, its errors and the
	// commands that it names. Main sets it to the name of its file.
	Name string
	// Description is the first line of the help. The default says what any
	// program of this package does.
	Description string

	pipelines []declared
}

// declared is a pipeline of the program.
type declared struct {
	name, help string
	command    Command
}

// Command makes a pipeline of what the command line says. It is a pointer to a
// struct whose fields are the flags and arguments of `run NAME`, as
// github.com/alecthomas/kong reads them from the tags:
//
//	type orders struct {
//		Rate time.Duration `default:"1s" help:"Time between two orders."`
//	}
//
// Field types of this package, such as Duration, Size and Path, may be used. The
// flags that all runs have, such as --dir, cannot be declared again.
type Command interface {
	// Pipeline is called once in a process, when the command line has been
	// read. The name of the pipeline must be that under which it was added.
	Pipeline() (*engine.Pipeline, error)
}

// Decisive is a Command with arguments that must not change while a run is
// interrupted: one that goes on with others would end with a result that belongs
// to neither. Such a run is refused, and the error names them. Without this
// method all arguments may change.
type Decisive interface {
	Command
	Decisive() []Argument
}

// Sketched is a Command that can make its pipeline without a command line, for
// `graph` and `nats-permissions`. It has to be one that passes Pipeline.Check; it is
// never run. Without this method these verbs use the defaults of the flags.
type Sketched interface {
	Command
	Sketch() (*engine.Pipeline, error)
}

// Worded is a Command whose pipeline returns errors with remedies of its own, and says
// them by its flags: see package remedy. It returns "" for one that it does not know.
type Worded interface {
	Command
	Words(remedy.Remedy) string
}

// Values of flags and arguments.
type (
	// Argument is one that decides what a run does. Value has to have a JSON form.
	Argument = flags.Argument
	// Duration is a duration above 0 that may also be a whole number of milliseconds.
	Duration = flags.Duration
	// Count is a whole number of 1 or more.
	Count = flags.Count
	// Size is a number of bytes above 0, with or without a unit such as MiB.
	Size = flags.Size
	// Path is a file or directory, made absolute; "-" stays.
	Path = flags.Path
	// Extensions are ends of file names, separated by commas.
	Extensions = flags.Extensions
)

// Usage is an error about the command line: the program shows it and exits
// with 2. Command.Pipeline may return it.
func Usage(format string, args ...any) error { return flags.Usage(format, args...) }

// Add adds a pipeline, which `run NAME` runs. The first one is what `run` and the
// other verbs mean when no name is given. It panics when the name is empty or taken,
// or when command is no pointer to a struct.
func (p *App) Add(name, help string, command Command) {
	taken := slices.ContainsFunc(p.pipelines, func(d declared) bool { return d.name == name })
	if v := reflect.ValueOf(command); taken || !validName.MatchString(name) || v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("cli: cannot add pipeline %q with a command of type %T: the name must be unused and have 1 to 64 characters of A-Z a-z 0-9 _ -, and the command must be a pointer to a struct", name, command))
	}
	p.pipelines = append(p.pipelines, declared{name, help, command})
}

// AddFunc adds a pipeline without flags or arguments of its own: see Add.
func (p *App) AddFunc(name, help string, pipeline func() (*engine.Pipeline, error)) {
	p.Add(name, help, &plainCommand{pipeline})
}

// plainCommand is a Command without flags.
type plainCommand struct {
	make func() (*engine.Pipeline, error)
}

// Pipeline makes the pipeline.
func (c *plainCommand) Pipeline() (*engine.Pipeline, error) { return c.make() }

// Sketch makes it too: there are no flags that it could wait for.
func (c *plainCommand) Sketch() (*engine.Pipeline, error) { return c.make() }

// names are those of the pipelines, in their order.
func (p *App) names() (names []string) {
	for _, d := range p.pipelines {
		names = append(names, d.name)
	}
	return names
}

// sketch makes a pipeline to look at. found is false when there is none of the name.
func (p *App) sketch(name string) (pipeline *engine.Pipeline, found bool, err error) {
	i := slices.Index(p.names(), name)
	if i < 0 {
		return nil, false, nil
	}
	command := p.pipelines[i].command
	if s, ok := command.(Sketched); ok {
		pipeline, err = s.Sketch()
		return pipeline, true, err
	}
	fresh := reflect.New(reflect.TypeOf(command).Elem())
	fresh.Elem().Set(reflect.ValueOf(command).Elem())
	if err := kong.ApplyDefaults(fresh.Interface()); err != nil {
		return nil, true, fmt.Errorf("cannot make pipeline %s without arguments (a method Sketch of %T could make it): %w", name, command, err)
	}
	pipeline, err = fresh.Interface().(Command).Pipeline()
	return pipeline, true, err
}

// declaredProgram is a program as its invocations see it.
type declaredProgram struct{ app *App }

// Called is its name.
func (p declaredProgram) Called() string { return p.app.Name }

// Pipelines are the names of its pipelines.
func (p declaredProgram) Pipelines() []string { return p.app.names() }

// Sketch makes a pipeline to look at.
func (p declaredProgram) Sketch(name string) (*engine.Pipeline, bool, error) {
	return p.app.sketch(name)
}

// begin begins an invocation.
func (p *App) begin(args []string, s app.System) *app.Invocation {
	return app.Begin(declaredProgram{p}, args, s, showcmd.Words)
}

// parser makes the parser of the command line, which fills in g.
func (p *App) parser(g *grammar, options ...kong.Option) (*kong.Kong, error) {
	if len(p.pipelines) == 0 {
		panic("cli: the program has no pipeline: call App.Add")
	}
	for i, d := range p.pipelines {
		g.Run.Pipelines = append(g.Run.Pipelines, d.plugin(i == 0))
	}
	names := p.names()
	return kong.New(g, append([]kong.Option{
		kong.Name(p.Name),
		kong.Description(p.Description),
		kong.ExplicitGroups(groups),
		kong.Vars{"program": p.Name, "first": names[0], "pipelines": render.Or(names)},
	}, options...)...)
}

// plugin is a struct whose one field is the command: kong reads names and help from
// tags, and those of a type are fixed.
func (d declared) plugin(first bool) any {
	command := reflect.ValueOf(d.command).Elem()
	tag := fmt.Sprintf(`cmd:"" name:%q help:%q`, d.name, strings.ReplaceAll(d.help, "$", "$$"))
	if first {
		tag += ` default:"withargs"`
	}
	plugin := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "Command", Type: command.Type(), Tag: reflect.StructTag(tag)}}))
	plugin.Elem().Field(0).Set(command)
	return plugin.Interface()
}

// chosen is the command of the pipeline that the command line names, if it is
// one that runs a pipeline.
func chosen(line *kong.Context) (name string, c Command, ok bool) {
	node := line.Selected()
	if node == nil || !node.Target.CanAddr() {
		return "", nil, false
	}
	c, ok = node.Target.Addr().Interface().(Command)
	return node.Name, c, ok
}

// programName is the name of the program's file.
func programName(path string) string {
	return strings.TrimSuffix(filepath.Base(path), ".exe")
}

// runChosen runs the pipeline of a command.
func runChosen(c *runcmd.Cmd, a *app.Invocation, name string, command Command) error {
	p, err := command.Pipeline()
	if err != nil {
		return err
	}
	if p == nil || p.Name() != name {
		return errors.New("the program added the pipeline " + name + " and made another one: both need the same name")
	}
	if worded, ok := command.(Worded); ok {
		a.Hints.Own = worded.Words
	}
	var decisive []Argument
	if d, ok := command.(Decisive); ok {
		decisive = d.Decisive()
	}
	return c.Execute(a, p, append([]Argument{}, decisive...))
}
