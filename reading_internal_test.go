package baler

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// Pages and the HTTP API show what a long transaction has written so far, and do not wait for
// it. What a person changes goes by what is committed, and so does the end of a transfer.
func TestReadersDoNotWaitForWriters(t *testing.T) {
	t.Parallel()
	c, err := config.Load(config.Sources{Env: []string{"BALER_STATE_DIR=" + t.TempDir()}})
	testkit.Must(t, err)
	c.Database.URL = testkit.MySQL(t)
	b, err := Open(t.Context(), c, Options{Registry: &handlers.Registry{}, Log: slog.New(slog.DiscardHandler)})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, b)
	create := func() tasks.Transfer {
		tr, _, err := b.store.Create(t.Context(), store.NewTransfer{
			Name: "some-files", Via: tasks.ViaBulk, Queue: "default", Recipe: "name: t\nsteps: [{handler: noop}]",
			Steps: []tasks.StepProgress{{Number: 1, Name: "noop", Handler: "noop"}},
		})
		testkit.Must(t, err)
		return tr
	}
	grows, ends, hidden, deleted, imported := create(), create(), create(), create(), create()
	testkit.Must(t, b.store.DB().Session(t.Context()).Exec("UPDATE transfers SET state = 'completed', ended_at = created_at WHERE id = ?", deleted.ID).Error)
	server, err := b.backend().NewServer(t.Context(), &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	testkit.Must(t, err)
	t.Cleanup(func() { testkit.Must(t, server.Close()) })
	request := func(method, path string) (status int, body string) {
		req := httptest.NewRequest(method, "http://127.0.0.1"+path, http.NoBody)
		req.Header.Set("Origin", "http://127.0.0.1")
		w := httptest.NewRecorder()
		server.ServeHTTP(w, req)
		text, err := io.ReadAll(w.Body)
		testkit.Must(t, err)
		return w.Code, string(text)
	}
	newest := strings.Replace(hidden.UUID, hidden.UUID[:8], "00000000", 1)
	written, end, wrote := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		wrote <- b.store.DB().Write(t.Context(), "write for long", func(tx *gorm.DB, now time.Time) error {
			err := tx.Exec("UPDATE transfers SET files = 12345678 WHERE id = ?", grows.ID).Error
			if err == nil {
				err = tx.Exec("UPDATE transfers SET state = 'completed', ended_at = ? WHERE id = ?", now, ends.ID).Error
			}
			if err == nil {
				err = tx.Exec("UPDATE transfers SET uuid = ? WHERE id = ?", newest, hidden.ID).Error
			}
			if err == nil {
				err = tx.Exec("INSERT INTO tombstones (transfer_id, uuid, name, run_key, forget, deleted_at) VALUES (?, ?, '', '', FALSE, ?)",
					deleted.ID, deleted.UUID, now).Error
			}
			if err == nil {
				err = tx.Exec("DELETE FROM transfers WHERE id = ?", deleted.ID).Error
			}
			if err == nil { // a row of which nothing is committed
				err = tx.Exec("UPDATE transfers SET id = id + 1000, state = 'completed', ended_at = ? WHERE id = ?", now, imported.ID).Error
			}
			close(written)
			<-end
			return err
		})
	}()
	<-written
	for _, c := range []struct {
		path, want string
	}{
		{"/transfers/" + grows.UUID, "12,345,678"},
		{"/", "12,345,678"},
		{"/v1/transfers/" + grows.UUID, "12345678"},
		{"/v1/transfers/" + newest, newest},
		{"/v1/transfers/" + ends.UUID, `"open"`},
		{"/v1/transfers/" + deleted.UUID, `"completed"`},
		{"/v1/transfers/find?ref=" + deleted.UUID[:35], deleted.UUID},
	} {
		if status, body := request(http.MethodGet, c.path); status != http.StatusOK || !strings.Contains(body, c.want) {
			t.Errorf("GET %s: %d without %s:\n%s", c.path, status, c.want, body)
		}
	}
	if status, body := request(http.MethodGet, "/v1/transfers"); status != http.StatusOK || strings.Contains(body, `"completed"`) ||
		!strings.Contains(body, ends.UUID) || !strings.Contains(body, imported.UUID) {
		t.Errorf("the list has an end that is not committed: %d %s", status, body)
	}
	if status, body := request(http.MethodGet, "/v1/transfers/"+newest[:8]); status != http.StatusNotFound {
		t.Errorf("a short id leads to a transfer that is not committed: %d %s", status, body)
	}
	if status, body := request(http.MethodPost, "/v1/transfers/"+newest+"/pause"); status != http.StatusNotFound {
		t.Errorf("a transfer that is not committed was paused: %d %s", status, body)
	}
	close(end)
	testkit.Must(t, <-wrote)
	if status, body := request(http.MethodGet, "/v1/transfers/"+ends.UUID); status != http.StatusOK || !strings.Contains(body, `"completed"`) {
		t.Errorf("the end that is committed: %d %s", status, body)
	}
}
