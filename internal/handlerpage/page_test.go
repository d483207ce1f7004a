package handlerpage

import (
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func TestPageKeepsWhatPeopleWrote(t *testing.T) {
	t.Parallel()
	var reg handlers.Registry
	testkit.Must(t, reg.Register("look", handlers.HandlerFunc(nil), handlers.WithDescription("looks at files"),
		handlers.DocArg("to", "text", "", "a | b"), handlers.DocFact("seen", "what it saw"), handlers.DocCode("bad", "failed", "it is bad")))
	r, _ := reg.Lookup("look")
	page := Page("look", "", r)
	for _, want := range []string{
		"# look\n", "Handler of steps: looks at files.", "| `to` | text |  | a \\| b |", "| `seen` | what it saw |", "| `bad` | failed | it is bad |",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing in\n%s", want, page)
		}
	}
	own := strings.Replace(page, "# look\n", "# look\n\nBy a person.\n", 1) + "\nMore.\n"
	if got := Page("look", own, r); got != own {
		t.Errorf("got\n%s", got)
	}
	if got := Page("look", strings.Replace(own, "what it saw", "something else", 1), r); got != own {
		t.Errorf("got\n%s", got)
	}
	if got := Page("look", "# look\n\nText.\n", r); !strings.HasPrefix(got, "# look\n\nText.\n\n## Reference\n\n<!--") {
		t.Errorf("got\n%s", got)
	}
}
