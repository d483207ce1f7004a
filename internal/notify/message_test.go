package notify

import (
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// A template that was accepted holds for messages of all kinds.
func TestTemplateOfFixityHoldsForOtherMessages(t *testing.T) {
	t.Parallel()
	made, err := NewTemplates("", "{{.Fixity.Damaged}} damaged")
	testkit.Must(t, err)
	m, err := readMessage(`{"type":"transfer.completed"}`, "")
	testkit.Must(t, err)
	if text, err := render(made.text, &m); err != nil || text != "0 damaged" {
		t.Errorf("%q, %v", text, err)
	}
}
