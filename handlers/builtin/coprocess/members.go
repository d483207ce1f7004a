package coprocess

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// factMember is a fact that a child reports.
type factMember struct {
	name  string
	value json.RawMessage
}

// orderedMembers reads an object; its members come in the order of their names, so that the
// same facts are recorded alike.
func orderedMembers(text []byte) ([]factMember, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil {
		return nil, fmt.Errorf("must be an object: %w", err)
	}
	members := make([]factMember, 0, len(object))
	for _, name := range slices.Sorted(maps.Keys(object)) {
		members = append(members, factMember{name, object[name]})
	}
	return members, nil
}
