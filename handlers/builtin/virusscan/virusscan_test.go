package virusscan

import (
	"bufio"
	"crypto/md5" // clamd's signatures of whole files
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/builtintest"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/testservers"
	"github.com/balerhq/baler/tasks"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// eicar is the test string that every scanner calls a virus; it is in two parts, so that
// none calls this file one.
const eicar = `X5O!P%@AP[4\PZX54(P^)7CC)7}$` + `EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`

// realClamd starts clamd with a signature of the test string, and returns its addresses.
func realClamd(t *testing.T) (socket, tcp string) {
	t.Helper()
	binary, err := exec.LookPath("clamd")
	if err != nil {
		t.Skip("there is no clamd here: apt install clamav-daemon")
	}
	dir, err := os.MkdirTemp("", "clamd") //nolint:usetesting // a socket's path must be short
	testkit.Must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	testkit.Must(t, os.Mkdir(filepath.Join(dir, "db"), 0o755))
	signature := fmt.Sprintf("%x:%d:Test.Eicar\n", md5.Sum([]byte(eicar)), len(eicar))
	testkit.Must(t, os.WriteFile(filepath.Join(dir, "db", "test.hdb"), []byte(signature), 0o600))
	port, release, err := testservers.HoldPort(t.Context())
	testkit.Must(t, err)
	t.Cleanup(func() { testkit.Must(t, release()) })
	tcp = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	socket = filepath.Join(dir, "s")
	conf := filepath.Join(dir, "clamd.conf")
	testkit.Must(t, os.WriteFile(conf, fmt.Appendf(nil,
		"Foreground yes\nLocalSocket %s\nTCPAddr 127.0.0.1\nTCPSocket %s\nDatabaseDirectory %s/db\nStreamMaxLength 1M\n",
		socket, strconv.Itoa(port), dir), 0o600))
	cmd := exec.Command(binary, "--config-file", conf)
	said, err := cmd.StdoutPipe()
	testkit.Must(t, err)
	cmd.Stderr = cmd.Stdout
	testkit.Must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines := bufio.NewScanner(said)
	var log []string
	for ready := false; !ready; {
		if !lines.Scan() {
			t.Fatalf("clamd does not start; it says\n%s", strings.Join(log, "\n"))
		}
		log = append(log, lines.Text())
		ready = strings.Contains(lines.Text(), "Self checking every")
	}
	go func() { _, _ = io.Copy(io.Discard, said) }()
	return socket, tcp
}

func scan(t *testing.T, args map[string]any, content string) (tasks.Result, map[string]any) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	testkit.Must(t, os.WriteFile(file, []byte(content), 0o600))
	return builtintest.Try(t, New(), args, file)
}

func TestRealClamd(t *testing.T) {
	t.Parallel()
	socket, tcp := realClamd(t)
	for _, address := range []string{socket, tcp} {
		for content, want := range map[string][3]any{
			eicar:                            {tasks.OutcomeFailed, "infected", "Test.Eicar.UNOFFICIAL"},
			"harmless":                       {tasks.OutcomeSucceeded, "clean", nil},
			"":                               {tasks.OutcomeSucceeded, "clean", nil},
			strings.Repeat("long ", 300_000): {tasks.OutcomeWarning, "not-scanned", nil}, // more than StreamMaxLength
		} {
			r, facts := scan(t, map[string]any{"clamd": address, "max_age": "0s"}, content)
			if r.Outcome != want[0] || facts["virus_scan"] != want[1] || facts["virus_name"] != want[2] {
				t.Errorf("%.20q: %s %s %s, %v; want %v", content, r.Outcome, r.Code, r.Error, facts, want)
			}
			if engine, _ := facts["virus_engine"].(string); !strings.HasPrefix(engine, "ClamAV ") {
				t.Errorf("engine %v", facts)
			}
		}
	}
	r, facts := scan(t, map[string]any{"clamd": socket}, "harmless") // our signatures have no age
	if r.Outcome != tasks.OutcomeWarning || r.Code != CodeOldSignatures || facts["virus_scan"] != "clean" {
		t.Errorf("%s %s, %v", r.Outcome, r.Code, facts)
	}
}

// Many files by few connections.
func TestRealClamdInParallel(t *testing.T) {
	t.Parallel()
	socket, _ := realClamd(t)
	files := make(map[string]string)
	for i := range 60 {
		files[fmt.Sprint("clean", i)] = strings.Repeat("x", i*1000)
		files[fmt.Sprint("virus", i)] = eicar
	}
	trial := handlertest.DryRun{Args: map[string]any{"clamd": socket, "max_age": "0s", "connections": 3}}
	dir := t.TempDir()
	var paths []string
	for name, content := range files {
		paths = append(paths, filepath.Join(dir, name))
		testkit.Must(t, os.WriteFile(paths[len(paths)-1], []byte(content), 0o600))
	}
	results, err := trial.Run(t.Context(), New(), paths...)
	testkit.Must(t, err)
	for i, r := range results {
		want := tasks.OutcomeSucceeded
		if strings.HasPrefix(filepath.Base(paths[i]), "virus") {
			want = tasks.OutcomeFailed
		}
		if r.Outcome != want {
			t.Errorf("%s: %s %s %s", paths[i], r.Outcome, r.Code, r.Error)
		}
	}
}

// fake answers VERSION, and each stream with what answer writes.
func fake(t *testing.T, version string, answer func(conn net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	testkit.Must(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			command, _ := bufio.NewReaderSize(io.LimitReader(conn, 10), 16).ReadString(0)
			if command == "zVERSION\x00" {
				_, _ = io.WriteString(conn, version)
			} else {
				answer(conn)
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return listener.Addr().String()
}

// drain reads a stream up to its end.
func drain(conn net.Conn) {
	for {
		var size uint32
		if binary.Read(conn, binary.BigEndian, &size) != nil || size == 0 {
			return
		}
		_, _ = io.CopyN(io.Discard, conn, int64(size))
	}
}

// A file is never reported as clean after an error of any kind.
func TestFaults(t *testing.T) {
	t.Parallel()
	today := time.Now().Format(time.ANSIC)
	ok := "ClamAV 1.4.3/27700/" + today + "\x00"
	replies := func(text string) func(net.Conn) {
		return func(conn net.Conn) { drain(conn); _, _ = io.WriteString(conn, text) }
	}
	for name, c := range map[string]struct {
		version string
		answer  func(net.Conn)
		outcome tasks.Outcome
		code    string
		scan    any
		message string
	}{
		"clean":             {ok, replies("stream: OK\x00"), tasks.OutcomeSucceeded, "", "clean", ""},
		"old signatures":    {"ClamAV 1.4.3/1/Wed Jul  9 08:33:11 2014\x00", replies("stream: OK\x00"), tasks.OutcomeWarning, CodeOldSignatures, "clean", "2014-07-09"},
		"infected and old":  {"ClamAV 1.4.3/1/Wed Jul  9 08:33:11 2014\x00", replies("stream: A.B FOUND\x00"), tasks.OutcomeFailed, CodeInfected, "infected", "A.B"},
		"a limit":           {ok, replies("INSTREAM size limit exceeded. ERROR\x00"), tasks.OutcomeWarning, CodeNotScanned, "not-scanned", ""},
		"a limit in a file": {ok, replies("stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\x00"), tasks.OutcomeWarning, CodeNotScanned, "not-scanned", ""},
		"encrypted":         {ok, replies("stream: Heuristics.Encrypted.Zip FOUND\x00"), tasks.OutcomeWarning, CodeNotScanned, "not-scanned", ""},
		"an error":          {ok, replies("stream: Can't allocate memory ERROR\x00"), tasks.OutcomeError, CodeClamd, nil, "allocate memory"},
		"garbage":           {ok, replies("\xff\x00"), tasks.OutcomeError, CodeClamd, nil, `"\xff"`},
		"half an answer":    {ok, replies("stream: OK"), tasks.OutcomeError, CodeClamd, nil, "without an answer"},
		"a long answer":     {ok, replies(strings.Repeat("x", 5000) + "stream: OK\x00"), tasks.OutcomeError, CodeClamd, nil, "without an answer"},
		"no name":           {ok, replies("stream:  FOUND\x00"), tasks.OutcomeError, CodeClamd, nil, ""},
		"death mid-stream":  {ok, func(conn net.Conn) { _, _ = io.CopyN(io.Discard, conn, 70_000) }, tasks.OutcomeError, CodeClamd, nil, "clamd at"},
		"another server":    {"220 mail ESMTP\r\n\x00", func(net.Conn) { t.Error("it got the file") }, tasks.OutcomeError, CodeClamd, nil, "is not clamd"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, facts := scan(t, map[string]any{"clamd": fake(t, c.version, c.answer)}, strings.Repeat("x", 1<<20))
			if r.Outcome != c.outcome || r.Code != c.code || facts["virus_scan"] != c.scan || !strings.Contains(r.Error, c.message) {
				t.Errorf("%s %s %q, %v", r.Outcome, r.Code, r.Error, facts)
			}
		})
	}
	t.Run("away", func(t *testing.T) {
		t.Parallel()
		r, facts := scan(t, map[string]any{"clamd": filepath.Join(t.TempDir(), "none")}, "x")
		if r.Outcome != tasks.OutcomeError || r.Code != CodeClamd || facts != nil || !strings.Contains(r.Error, "apt install clamav-daemon") {
			t.Errorf("%s %s %s, %v", r.Outcome, r.Code, r.Error, facts)
		}
	})
	t.Run("away, and files may be left unscanned", func(t *testing.T) {
		t.Parallel()
		r, facts := scan(t, map[string]any{"clamd": filepath.Join(t.TempDir(), "none"), "without_clamd": "warning"}, "x")
		if r.Outcome != tasks.OutcomeWarning || r.Code != CodeNotScanned || facts["virus_scan"] != "not-scanned" ||
			!strings.Contains(r.Error, "apt install clamav-daemon") || !strings.Contains(r.Error, "it may contain a virus") {
			t.Errorf("%s %s %s, %v", r.Outcome, r.Code, r.Error, facts)
		}
	})
	t.Run("silence", func(t *testing.T) {
		t.Parallel()
		address := fake(t, ok, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
		r, facts := scan(t, map[string]any{"clamd": address, "timeout": "50ms"}, "x")
		if r.Outcome != tasks.OutcomeError || r.Code != CodeClamd || facts["virus_scan"] != nil || !strings.Contains(r.Error, "timeout") {
			t.Errorf("%s %s %s, %v", r.Outcome, r.Code, r.Error, facts)
		}
	})
	t.Run("large", func(t *testing.T) {
		t.Parallel()
		address := fake(t, ok, func(net.Conn) { t.Error("it got the file") })
		r, facts := scan(t, map[string]any{"clamd": address, "max_size": "1KiB"}, strings.Repeat("x", 1025))
		if r.Outcome != tasks.OutcomeWarning || r.Code != CodeNotScanned || facts["virus_scan"] != "not-scanned" {
			t.Errorf("%s %s %s, %v", r.Outcome, r.Code, r.Error, facts)
		}
	})
}

func TestArguments(t *testing.T) {
	t.Parallel()
	reg := &handlers.Registry{}
	testkit.Must(t, Register(reg))
	r, _ := reg.Lookup("virus-scan")
	for _, address := range []string{"/run/x", "127.0.0.1:3310", "localhost:3310", "[::1]:3310"} {
		if err := r.CheckArgs(map[string]any{"clamd": address}); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	for system, want := range map[string]string{"linux": "/run/clamav/clamd.ctl", "windows": "127.0.0.1:3310"} {
		if got := defaultClamd(system); got != want || r.CheckArgs(map[string]any{"clamd": got}) != nil {
			t.Errorf("on %s clamd is at %s", system, got)
		}
	}
	for want, args := range map[string]any{
		"write the path of its socket": map[string]any{"clamd": "clamd"},
		"is not on this host":          map[string]any{"clamd": "192.0.2.1:3310"},
		`which is not on this`:         map[string]any{"clamd": "evil.example:80"},
		"max_age is":                   map[string]any{"max_age": "week"},
		"timeout is":                   map[string]any{"timeout": "1h"},
		"connections are 0":            map[string]any{"connections": 0},
		"max_size is 0":                map[string]any{"max_size": 0},
		"there is no argument":         map[string]any{"socket": "/x"},
		"without_clamd is":             map[string]any{"without_clamd": "succeeded"},
	} {
		if err := r.CheckArgs(args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

// A missing clamd is reported before the transfer begins; one that answers is not missing.
func TestMissingClamd(t *testing.T) {
	t.Parallel()
	reg := &handlers.Registry{}
	testkit.Must(t, Register(reg))
	r, _ := reg.Lookup("virus-scan")
	there := fake(t, "ClamAV 1.4.3\x00", func(net.Conn) {})
	if missing := r.MissingServices(t.Context(), map[string]any{"clamd": there}); missing != nil {
		t.Errorf("missing: %v", missing)
	}
	for without, effect := range map[string]string{
		"error": "Files end as errors (clamd).", "warning": "Files are not scanned, and end as warnings (not-scanned).",
	} {
		missing := r.MissingServices(t.Context(), map[string]any{"clamd": "/nowhere/clamd.ctl", "without_clamd": without})
		if len(missing) != 1 || missing[0].Effect != effect || !strings.Contains(missing[0].Problem, "clamd at /nowhere/clamd.ctl: ") ||
			!strings.HasSuffix(missing[0].Problem, "start clamd (Debian: apt install clamav-daemon), or set its address with clamd") {
			t.Errorf("%s: %+v", without, missing)
		}
	}
	if missing := r.MissingServices(t.Context(), map[string]any{"clamd": fake(t, "220 mail\x00", func(net.Conn) {})}); len(missing) != 1 {
		t.Errorf("another server: %v", missing)
	}
}
