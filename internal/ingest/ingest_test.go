package ingest

import (
	"slices"
	"testing"
)

func TestChunksThatWaitLeaveAConnectionToTheFirst(t *testing.T) {
	t.Parallel()
	for connections, want := range map[int]int{0: 7, 1: 0, 2: 1, 4: 3, 8: 7, 100: 7} {
		if got := chunksAhead(connections); got != want {
			t.Errorf("%d connections: %d chunks may wait, want %d", connections, got, want)
		}
	}
}

func TestWebhooksOfSiteAndSubmissionComeOnce(t *testing.T) {
	t.Parallel()
	g := New(Options{Webhooks: []string{"https://a.example", "https://b.example"}})
	got := g.webhooks(&Submission{Webhooks: []string{"https://b.example", "https://c.example"}})
	if want := []string{"https://a.example", "https://b.example", "https://c.example"}; !slices.Equal(got, want) {
		t.Errorf("webhooks %q, want %q", got, want)
	}
}

func TestListHasSourcesOfItsOwn(t *testing.T) {
	t.Parallel()
	if !FromList(ListSources()) || FromList([]string{"/data"}) || FromList([]string{"/"}) {
		t.Error("sources of a list are not told from others")
	}
}
