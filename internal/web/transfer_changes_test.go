package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/audit"
	"github.com/balerhq/baler/internal/testkit"
)

func TestEventsSayWhoChangedATransfer(t *testing.T) {
	d := newDesk(t, nil)
	id := stocked(1).transfers[0].UUID
	for _, e := range []audit.Entry{
		{Who: "ada", From: "192.0.2.9", Action: "submit a transfer", Target: "/transfers/" + id, Result: audit.Done},
		{Who: "ada", From: "192.0.2.9", Action: "submit a transfer", Target: "/transfers/" + id, Result: audit.Done}, // sent twice
		{Who: "root@vault", From: audit.CommandLine, Action: "pause a transfer", Target: "latest (" + id + ")", Result: audit.Done},
		{Who: "token nightly", From: "192.0.2.8", Action: "retry files of a transfer", Target: "/v1/transfers/" + id + "/retry", Result: audit.Done},
		{Who: "eve", From: "192.0.2.66", Action: "cancel a transfer", Target: "/transfers/" + id + "/cancel", Result: audit.Refused},
		{Who: "bob", From: "192.0.2.7", Action: "pause a transfer", Target: "/transfers/" + stocked(2).transfers[0].UUID, Result: audit.Done},
	} {
		_, err := d.store.AddAudit(t.Context(), e)
		testkit.Must(t, err)
	}
	shown := func(role accounts.Role) string {
		_, events, _ := strings.Cut(d.ask(http.MethodGet, "/transfers/"+id, "", bearer(d.tokens[role])).Body.String(), "<h2>Events</h2>")
		events, _, _ = strings.Cut(events, "<details")
		return events
	}
	for role, want := range map[accounts.Role][]string{
		accounts.Viewer:   {"submitted by ada<", "paused by root<", "files retried by token nightly<"},
		accounts.Operator: {"submitted by ada, from 192.0.2.9<", "paused by root@vault, from the command line<", "files retried by token nightly, from 192.0.2.8<"},
	} {
		events := shown(role)
		for _, text := range want {
			if strings.Count(events, text) != 1 {
				t.Errorf("%d times %q for a %s in %s", strings.Count(events, text), text, role, events)
			}
		}
		for _, text := range []string{"eve", "bob"} {
			if strings.Contains(events, text) {
				t.Errorf("a %s reads of %s in %s", role, text, events)
			}
		}
	}
	if events := shown(accounts.Viewer); strings.Contains(events, "192.0.2") || strings.Contains(events, "vault") {
		t.Errorf("a viewer reads from where: %s", events)
	}
}
