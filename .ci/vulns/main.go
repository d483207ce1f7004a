// Command vulns fails when this code can reach a known vulnerability. It runs govulncheck with a
// database of a fixed version, so that the same code and the same Go give the same answer on every
// day. The database comes from the module proxy, so no other server is needed.
//
// With -libraries it looks at calls only if a package of a library that is imported has a
// vulnerability at all. This takes seconds instead of minutes, and says nothing of Go itself.
package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/vuln/scan"
)

// The version of the database and the checksum of its module. `make vulns VULNDB=latest` prints
// those of the newest.
const (
	database = "v0.0.0-20261105234957-e22db6528018"
	checksum = "h1:mfngRv0Yoh0VApsXKEN82CjD99kl7mtparN3bs3JnqI="
)

//go:embed accepted.txt
var acceptedList string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "vulns:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("vulns", flag.ContinueOnError)
	version := flags.String("db", database, "version of golang.org/x/vulndb, or latest")
	dir := flags.String("C", ".", "folder of the module to check")
	libraries := flags.Bool("libraries", false, "check libraries only, and calls only if an imported package has a vulnerability")
	if err := flags.Parse(args); err != nil {
		return err
	}
	accepted, err := parseAccepted(acceptedList)
	if err != nil {
		return err
	}
	db, err := download(ctx, *version)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "vulnerabilities known to golang.org/x/vulndb@%s\n", db.Version)
	if db.Version != database {
		fmt.Fprintf(out, "to check with it always, set in .ci/vulns/main.go: database = %q, checksum = %q\n", db.Version, db.Sum)
	}
	if *libraries {
		found, err := findings(ctx, db.Dir, *dir, byPackage)
		if err != nil {
			return err
		}
		found = slices.DeleteFunc(found, func(f finding) bool { return f.ofGo })
		if len(found) == 0 {
			fmt.Fprintln(out, "no imported package of a library has one")
			return nil
		}
	}
	found, err := findings(ctx, db.Dir, *dir, byCall)
	if err != nil {
		return err
	}
	if *libraries {
		found = slices.DeleteFunc(found, func(f finding) bool { return f.ofGo })
		clear(accepted)
	}
	return report(out, found, accepted)
}

type module struct{ Version, Dir, Sum, Error string }

// download has the go command fetch the database, unless it is in the module cache.
func download(ctx context.Context, version string) (module, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", "golang.org/x/vulndb@"+version)
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	var m module
	if decodeErr := json.Unmarshal(text, &m); decodeErr == nil && m.Error != "" {
		return m, fmt.Errorf("download the database: %s", m.Error)
	}
	if err != nil {
		return m, fmt.Errorf("download the database: %w", err)
	}
	if m.Version == database && m.Sum != checksum {
		return m, fmt.Errorf("download the database: golang.org/x/vulndb@%s has the checksum %s, and .ci/vulns/main.go says %s", m.Version, m.Sum, checksum)
	}
	return m, nil
}

// A finding is a vulnerability that the code can reach.
type finding struct {
	id, summary string
	module      string // stdlib and toolchain are Go's own
	version     string
	fixed       string // empty when there is no fix
	function    string
	via         string // the first place of this module's code on the way to it
	ofGo        bool
}

// The parts of govulncheck's JSON that are read here.
type message struct {
	OSV *struct {
		ID      string `json:"id"`
		Summary string `json:"summary"`
	} `json:"osv"`
	Finding *struct {
		OSV          string  `json:"osv"`
		FixedVersion string  `json:"fixed_version"`
		Trace        []frame `json:"trace"`
	} `json:"finding"`
}

// frame is a call on the way to a vulnerable function, which is the first frame; the code that is
// checked is the last.
type frame struct {
	Module   string `json:"module"`
	Version  string `json:"version"`
	Package  string `json:"package"`
	Function string `json:"function"`
	Receiver string `json:"receiver"`
	Position *struct {
		Filename string `json:"filename"`
		Line     int    `json:"line"`
	} `json:"position"`
}

// A level is how far govulncheck looks.
type level string

const (
	byPackage level = "package" // packages that the code imports
	byCall    level = "symbol"  // functions that the code can reach
)

func findings(ctx context.Context, database, dir string, scanned level) ([]finding, error) {
	cmd := scan.Command(ctx, "-C", dir, "-db", "file://"+filepath.Join(database, "data", "osv"), "-format", "json", "-scan", string(scanned), "./...")
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("govulncheck: %w", err)
	}
	go func() { in.CloseWithError(cmd.Wait()) }()
	return decode(out, scanned)
}

// decode returns the first finding of each vulnerability, by ID. govulncheck also reports what it
// finds at lower levels, such as versions of modules: that does not count.
func decode(r io.Reader, scanned level) ([]finding, error) {
	byID, summaries := map[string]finding{}, map[string]string{}
	complete := false
	for d := json.NewDecoder(r); ; complete = true {
		var m message
		err := d.Decode(&m)
		if errors.Is(err, io.EOF) && complete {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("govulncheck: %w", err)
		}
		if m.OSV != nil {
			summaries[m.OSV.ID] = m.OSV.Summary
		}
		f := m.Finding
		if f == nil || len(f.Trace) == 0 || f.Trace[0].Package == "" || scanned == byCall && f.Trace[0].Function == "" {
			continue
		}
		if _, ok := byID[f.OSV]; !ok {
			byID[f.OSV] = newFinding(f.OSV, f.FixedVersion, f.Trace)
		}
	}
	var all []finding
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		f := byID[id]
		f.summary = summaries[id]
		all = append(all, f)
	}
	return all, nil
}

func newFinding(id, fixed string, trace []frame) finding {
	vulnerable := trace[0]
	f := finding{
		id: id, fixed: fixed, module: vulnerable.Module, version: vulnerable.Version, function: vulnerable.Package + "." + vulnerable.Function,
		ofGo: vulnerable.Module == "stdlib" || vulnerable.Module == "toolchain",
	}
	if vulnerable.Receiver != "" {
		f.function = vulnerable.Package + "." + strings.TrimPrefix(vulnerable.Receiver, "*") + "." + vulnerable.Function
	}
	own := trace[len(trace)-1].Module
	for i := range trace {
		if p := trace[i].Position; trace[i].Module == own && p != nil {
			f.via = fmt.Sprintf("%s:%d", p.Filename, p.Line)
			break
		}
	}
	return f
}

// report prints the findings, and returns an error when one of them is not accepted.
func report(out io.Writer, found []finding, accepted map[string]string) error {
	bad := 0
	for _, f := range found {
		reason, ok := accepted[f.id]
		switch {
		case ok && f.ofGo:
			fmt.Fprintf(out, "accepted: %s in %s: %s\n", f.id, f.function, reason)
			delete(accepted, f.id)
			continue
		case ok:
			reason = "accepted.txt cannot accept it, because it is not Go's own; "
		}
		bad++
		fix := "there is no fix: stop calling it"
		switch {
		case f.fixed != "" && f.ofGo:
			fix = "use Go " + strings.TrimPrefix(f.fixed, "v") + " or later"
		case f.ofGo:
			fix = "no release of Go mends it yet: stop calling it, or name it in .ci/vulns/accepted.txt"
		case f.fixed != "":
			fix = fmt.Sprintf("go get %s@%s", f.module, f.fixed)
		}
		fmt.Fprintf(out, "%s: %s\n  %s %s calls %s, reached from %s\n  %s%s\n  https://pkg.go.dev/vuln/%s\n",
			f.id, f.summary, f.module, f.version, f.function, f.via, reason, fix, f.id)
	}
	if unused := slices.Sorted(maps.Keys(accepted)); len(unused) > 0 {
		fmt.Fprintf(out, "note: .ci/vulns/accepted.txt names what was not found with %s: %s\n", runtime.Version(), strings.Join(unused, ", "))
	}
	if bad > 0 {
		return fmt.Errorf("%d known vulnerabilities can be reached", bad)
	}
	return nil
}

// parseAccepted reads lines of an ID and a reason.
func parseAccepted(list string) (map[string]string, error) {
	all := map[string]string{}
	lines := bufio.NewScanner(strings.NewReader(list))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, reason, ok := strings.Cut(line, " ")
		if !ok || !strings.HasPrefix(id, "GO-") {
			return nil, fmt.Errorf("accepted.txt, line %d: want an ID and a reason, such as: GO-2026-1234 no release of Go mends it; only trusted files are read", n)
		}
		all[id] = strings.TrimSpace(reason)
	}
	return all, lines.Err()
}
