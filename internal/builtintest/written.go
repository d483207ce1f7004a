package builtintest

// Written is what the final steps of a test have written. It implements
// handlers.WrittenOutputs.
type Written map[string]bool

// NewWritten has nothing written yet.
func NewWritten() Written { return make(Written) }

// Wrote implements handlers.WrittenOutputs.
func (w Written) Wrote(path, digest string) (bool, error) { return w[path+digest], nil }

// Note implements handlers.WrittenOutputs.
func (w Written) Note(path, digest string) error {
	w[path+digest] = true
	return nil
}
