package handlers

// Documentation is what the page about a handler says beside the rest of its registration.
type Documentation struct {
	Args  []ArgDoc
	Facts []NameDoc
	Codes []CodeDoc
}

// ArgDoc describes an argument of a step.
type ArgDoc struct {
	Name, Type, Default string // Default as a recipe would have it; empty for none
	Text                string
}

// NameDoc describes a fact.
type NameDoc struct{ Name, Text string }

// CodeDoc describes a code, and says with which outcome a file has it.
type CodeDoc struct{ Code, Outcome, Text string }

// DocArg documents an argument.
func DocArg(name, kind, byDefault, text string) Option {
	return func(r *Registration) { r.Docs.Args = append(r.Docs.Args, ArgDoc{name, kind, byDefault, text}) }
}

// DocFact documents a fact.
func DocFact(name, text string) Option {
	return func(r *Registration) { r.Docs.Facts = append(r.Docs.Facts, NameDoc{name, text}) }
}

// DocCode documents a code.
func DocCode(code, outcome, text string) Option {
	return func(r *Registration) { r.Docs.Codes = append(r.Docs.Codes, CodeDoc{code, outcome, text}) }
}

// WithAll combines options.
func WithAll(opts ...Option) Option {
	return func(r *Registration) {
		for _, opt := range opts {
			opt(r)
		}
	}
}
