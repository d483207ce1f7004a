package command

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Variables are environment variables as a recipe has them: NAME or NAME=value. Unlike among the
// Words of a command, a number or a truth value alone cannot be meant.
type Variables []string

// UnmarshalJSON reads a list.
func (v *Variables) UnmarshalJSON(text []byte) error {
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return errors.New("must be a list of variables, such as [LANG, TMPDIR=/scratch]")
	}
	*v = make(Variables, len(list))
	for i, item := range list {
		if item[0] != '"' {
			return fmt.Errorf("item %d is %s, not text; write NAME or NAME=value", i+1, item)
		}
		if err := json.Unmarshal(item, &(*v)[i]); err != nil {
			return fmt.Errorf("item %d: %w", i+1, err)
		}
	}
	return nil
}

// Raw is Words.Raw.
func (v Variables) Raw(args any, key string) { Words(v).Raw(args, key) }
