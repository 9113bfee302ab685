package flags

// Argument is one that decides what a run does, such as which files it reads. An
// interrupted run does not go on with another value of it. Value has to have a
// JSON form.
type Argument struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
}
