package cli

import (
	"strings"
	"testing"
)

// On a narrow terminal, the audit log leaves out where somebody was, and says who it was.
func TestTheAuditLogSaysWhoOnANarrowTerminal(t *testing.T) {
	t.Parallel()
	list := newAuditTable().within(80)
	list.row("2026-11-28 04:08:54", "archivist@reading-room", "command line", "done", "run", "/srv/registers --recipe preservation --name Accession")
	var b strings.Builder
	list.write(&b)
	if got := b.String(); !strings.Contains(got, "archivist@reading-room  done") || strings.Contains(got, "command line") || strings.Contains(got, "…") {
		t.Errorf("80 columns:\n%s", got)
	}
	for line := range strings.Lines(b.String()) {
		if len(line) > 81 {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
	b.Reset()
	wide := newAuditTable().within(200)
	wide.row("2026-11-28 04:08:54", "ada", "command line", "done", "run", "in")
	wide.write(&b)
	if !strings.Contains(b.String(), "ada  command line  done") {
		t.Errorf("200 columns:\n%s", b.String())
	}
}
