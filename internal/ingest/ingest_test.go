package ingest

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/recipe"
)

func TestWebhooksOfSiteAndSubmissionComeOnce(t *testing.T) {
	t.Parallel()
	g := New(Options{Webhooks: []string{"https://a.example", "https://b.example"}})
	got := g.webhooks(&TransferRequest{Webhooks: []string{"https://b.example", "https://c.example"}})
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

// A device or a pipe that is named itself is an error; those that a scan meets are not.
func TestSourcesAreFilesAndFolders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "link")
	testkit.Must(t, syscall.Mkfifo(pipe, 0o600))
	testkit.Must(t, os.Symlink(os.DevNull, link))
	for path, want := range map[string]string{
		pipe: pipe + " is a named pipe", os.DevNull: os.DevNull + " is a character device", link: link + " is a character device",
		dir: "", filepath.Join(dir, "missing"): "",
	} {
		_, err := new(Ingester).Sources(&TransferRequest{Paths: []string{dir, path}, Recipe: new(recipe.Recipe)})
		if errors.Is(err, ErrNoFileOrFolder) != (want != "") || err != nil && !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}
