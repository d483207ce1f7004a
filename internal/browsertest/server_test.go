package browsertest

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/testkit"
)

// site is a server with a worker, and a folder that transfers can be made of.
type site struct {
	url     string
	folder  string // "letters" in the first root
	gate    string // the recipe picky waits until this file exists
	damaged string // while this file exists, the recipe picky fails for three of the letters
	redis   string // its queue; empty: it is in its memory
}

// password is everybody's.
const password = "correct horse battery"

// serve starts a server on an own database.
func serve(t *testing.T, database string) site {
	t.Helper()
	return serveFor(t, database, nil)
}

// serveFor starts a server where people log in: each has the name of their role, and
// password.
func serveFor(t *testing.T, database string, roles []baler.Role) site {
	t.Helper()
	root := t.TempDir()
	s := site{folder: filepath.Join(root, "letters"), gate: filepath.Join(root, "gate"), damaged: filepath.Join(root, "damaged")}
	testkit.Must(t, os.Mkdir(s.folder, 0o700))
	for i := range 20 {
		testkit.Must(t, os.WriteFile(filepath.Join(s.folder, fmt.Sprintf("letter-%02d.txt", i)), []byte("Dear reader"), 0o600))
	}
	testkit.Must(t, os.WriteFile(filepath.Join(s.folder, "<script>alert(1)<\u202e\x1b[31m.txt"), []byte("x"), 0o600))
	testkit.Must(t, os.Symlink("/etc", filepath.Join(s.folder, "way-out")))
	testkit.Must(t, os.WriteFile(s.damaged, nil, 0o600))
	recipes := t.TempDir()
	script := fmt.Sprintf(`while [ ! -e %[1]s ]; do sleep 0.05; done; [ -e %[2]s ] || exit 0
          case "$0" in *letter-*5.txt|*letter-07.txt) echo "cannot decode $0: strip 17 of 40" >&2; exit 3;; esac`, s.gate, s.damaged)
	text := fmt.Sprintf("name: picky\ndescription: Checks letters.\nsteps:\n  - name: checksum\n    handler: checksum\n  - name: picky\n    handler: exec\n"+
		"    with:\n      command:\n        - sh\n        - -c\n        - |-\n          %s\n        - ${path}\n", script)
	testkit.Must(t, os.WriteFile(filepath.Join(recipes, "picky.yaml"), []byte(text), 0o600))
	thumbs := filepath.Join(root, "thumbs")
	testkit.Must(t, os.Mkdir(thumbs, 0o700))
	text = "name: pictures\nsteps:\n  - handler: thumbnail\n    with:\n      to: " + thumbs + "\n"
	testkit.Must(t, os.WriteFile(filepath.Join(recipes, "pictures.yaml"), []byte(text), 0o600))

	text = "name: careful\nsteps:\n  - handler: checksum\n  - name: second\n    handler: noop\n    approve: true\n"
	testkit.Must(t, os.WriteFile(filepath.Join(recipes, "careful.yaml"), []byte(text), 0o600))

	c, err := config.Load(config.Sources{Env: []string{"BALER_STATE_DIR=" + t.TempDir()}})
	testkit.Must(t, err)
	c.Redis.URL, c.Database.URL = "embedded", "sqlite:"+filepath.Join(t.TempDir(), "baler.db")
	if database != "" {
		s.redis = testkit.Redis(t)
		c.Redis.URL, c.Database.URL = s.redis, database
	}
	c.Outputs = []string{thumbs}
	c.Roots, c.Worker.Recipes = []string{root}, []string{recipes}
	s.url = listen(t, c, roles)
	return s
}

// listen starts the server, and returns its address.
func listen(t *testing.T, c config.Config, roles []baler.Role) (url string) {
	t.Helper()
	c.HTTP.AskLogin, c.Worker.Grace = len(roles) > 0, 5*time.Second
	b, err := baler.Open(t.Context(), c, baler.Options{Registry: builtin.Registry(), HeartbeatInterval: 250 * time.Millisecond})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, b)
	for _, role := range roles {
		testkit.Must(t, b.AddUser(t.Context(), string(role), password, role))
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	testkit.Must(t, err)
	testkit.Background(t, func(ctx context.Context) error { return b.Serve(ctx, ln, true) })
	return "http://" + ln.Addr().String()
}

// openGate lets the files of the recipe picky end.
func (s *site) openGate(t *testing.T) {
	t.Helper()
	testkit.Must(t, os.WriteFile(s.gate, nil, 0o600))
}
