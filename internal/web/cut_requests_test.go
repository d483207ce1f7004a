package web_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/web"
	"github.com/balerhq/baler/tasks"
)

// intake takes files.
type intake struct{ api.Submitter }

func (intake) AddFiles(_ context.Context, _ tasks.Transfer, files iter.Seq2[api.ListedFile, error], _ api.AddOptions) (added int64, err error) {
	for _, err := range files {
		if err != nil {
			return added, err
		}
		added++
	}
	return added, nil
}

// A stream of files that is cut off is the client's matter: it is told what was added, and the log has no
// error of the server.
func TestAStreamThatIsCutOff(t *testing.T) {
	t.Parallel()
	s := stocked(1)
	s.transfers[0].State, s.transfers[0].ByRequests = tasks.StateOpen, true
	addr := strings.TrimPrefix(serve(t, web.Options{Transfers: s, Submitter: intake{}}), "http://")
	conn, err := net.Dial("tcp", addr)
	testkit.Must(t, err)
	_, err = fmt.Fprintf(conn, "POST /v1/transfers/%s/files HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: 5000\r\n\r\n%s",
		s.transfers[0].UUID, `{"path":"/a","size":1}`+"\n"+`{"path":"/b","size":1}`+"\n"+`{"pa`)
	testkit.Must(t, err)
	testkit.Must(t, conn.(*net.TCPConn).CloseWrite())
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	testkit.Must(t, err)
	body, err := io.ReadAll(res.Body)
	testkit.Must(t, err)
	testkit.Must(t, conn.Close())
	if res.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "The request ended before its last line. Files added before: 2.") {
		t.Errorf("%s: %s", res.Status, body)
	}
}
