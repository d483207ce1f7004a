// Command composecheck does what deploy/compose-check cannot do in a shell: it checks
// docker-compose.yml without a container engine, compares the counts of a transfer, and finds a
// free port.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"

	"github.com/balerhq/baler/tasks"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

const usage = "usage: composecheck FILE | --summary FILES | --port"

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var err error
	switch {
	case len(args) == 1 && args[0] == "--port":
		err = printPort(stdout)
	case len(args) == 2 && args[0] == "--summary":
		err = checkSummary(args[1], stdin)
	case len(args) == 1 && args[0] != "" && args[0][0] != '-':
		err = checkFile(args[0])
	default:
		fmt.Fprintln(stderr, usage)
		return 2
	}
	if err != nil {
		fmt.Fprintln(stderr, "composecheck:", err)
		return 1
	}
	return 0
}

func checkFile(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := check(text); err != nil {
		return fmt.Errorf("%s:\n%w", name, err)
	}
	return nil
}

// checkSummary compares the last line of `baler status --json` with a number of files.
func checkSummary(want string, in io.Reader) error {
	files, err := strconv.ParseInt(want, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is no number of files", want)
	}
	var s tasks.Summary
	if err := json.NewDecoder(in).Decode(&s); err != nil {
		return fmt.Errorf("the summary: %w", err)
	}
	switch {
	case s.State != tasks.StateCompleted:
		return fmt.Errorf("the transfer is %s", s.State)
	case s.Files != files || s.Finished != files:
		return fmt.Errorf("files %d, finished %d, and %d were submitted", s.Files, s.Finished, files)
	case s.Results.Failures() > 0:
		return fmt.Errorf("%d results are failures", s.Results.Failures())
	}
	for _, step := range s.Steps {
		if step.Selected != step.Done {
			return fmt.Errorf("step %s: %d of %d files are done", step.Step, step.Done, step.Selected)
		}
	}
	return nil
}

func printPort(out io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it ends at once
	if err != nil {
		return err
	}
	at, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return errors.Join(errors.New("no TCP address"), l.Close())
	}
	fmt.Fprintln(out, at.Port)
	return l.Close()
}
