package client_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/balerhq/baler/client"
)

// listing is a server that breaks the first connection with files after some lines.
type listing struct {
	t      *testing.T
	breaks int // lines that it adds before
	files  []string
	cut    bool
}

func (l *listing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodGet:
		var after int
		_, _ = fmt.Sscan(r.URL.Query().Get("after"), &after)
		for i, path := range l.files[after:] {
			if i == 0 {
				_, _ = fmt.Fprint(w, `{"files":[`)
			} else {
				_, _ = fmt.Fprint(w, ",")
			}
			_, _ = fmt.Fprintf(w, `{"file":%d,"path":%q}`, after+i+1, path)
		}
		_, _ = fmt.Fprint(w, "]}")
		return
	case r.URL.Query().Get("at") != "" && r.URL.Query().Get("at") != strconv.Itoa(len(l.files)):
		l.t.Errorf("at=%s, but there are %d files", r.URL.Query().Get("at"), len(l.files))
	}
	lines := bufio.NewScanner(r.Body)
	for n := 0; lines.Scan(); n++ {
		if n == l.breaks && !l.cut {
			l.cut = true
			panic(http.ErrAbortHandler)
		}
		var f struct {
			Path string `json:"path"`
		}
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			l.t.Error(err)
		}
		if !strings.HasPrefix(f.Path, "/link") { // which no server adds
			l.files = append(l.files, f.Path)
		}
	}
	_, _ = fmt.Fprintf(w, `{"files":%d}`, len(l.files))
}

func TestAppendContinuesBehindWhatHasArrived(t *testing.T) {
	t.Parallel()
	for breaks := range 8 {
		l := &listing{t: t, breaks: breaks, files: []string{"/before"}}
		server := httptest.NewServer(l)
		c, err := client.New(server.URL, client.Options{HTTP: server.Client()})
		if err != nil {
			t.Fatal(err)
		}
		var files []client.File
		for _, path := range []string{"/a", "/link1", "/b", "/link2", "/link3", "/a", "/c"} {
			files = append(files, client.File{Path: path, Size: -1})
		}
		added, err := c.Append(t.Context(), "id", 1, files)
		want := []string{"/before", "/a", "/b", "/a", "/c"}
		if err != nil || added.Files != 5 || !slices.Equal(l.files, want) {
			t.Errorf("broken before line %d: %+v, %v, %q", breaks+1, added, err, l.files)
		}
		server.Close()
	}
}
