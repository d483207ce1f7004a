package command

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Words are the words of a command as a recipe has them. Numbers and truth values among them
// are taken as they are written.
type Words []string

// UnmarshalJSON reads a list.
func (w *Words) UnmarshalJSON(text []byte) error {
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return errors.New("must be a list of words, such as [file, --brief, \"${path}\"]")
	}
	*w = make(Words, len(list))
	for i, item := range list {
		switch item[0] {
		case '"':
			if err := json.Unmarshal(item, &(*w)[i]); err != nil {
				return fmt.Errorf("word %d: %w", i+1, err)
			}
		case '[', '{', 'n':
			return fmt.Errorf("word %d is %s, not text", i+1, item)
		default:
			(*w)[i] = string(item)
		}
	}
	return nil
}

// Raw takes over the strings of a list among the arguments as they are: names of files need
// not be UTF-8, and JSON would change them.
func (w Words) Raw(args any, key string) {
	object, _ := args.(map[string]any)
	list, _ := object[key].([]any)
	for i, item := range list {
		if s, ok := item.(string); ok && i < len(w) {
			w[i] = s
		}
	}
}
