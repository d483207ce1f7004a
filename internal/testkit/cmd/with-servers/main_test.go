package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/testservers"
)

// asProgram makes the test binary run as the program, so that tests can send signals to it.
const asProgram = "WITH_SERVERS_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	testkit.Main(m)
}

// script prints the command's process ID and the URLs of both servers.
const script = `echo $$ "$BALER_TEST_REDIS_URL" "$BALER_TEST_MYSQL_URL"`

func TestServersRunOnlyDuringTheCommand(t *testing.T) {
	t.Setenv(testservers.RedisVariable, "")
	t.Setenv(testservers.MySQLVariable, "")
	var stdout, stderr bytes.Buffer

	code := run([]string{"sh", "-c", script + "; exit 3"}, &stdout, &stderr)

	if code != 3 {
		t.Errorf("exit code %d, want the command's 3; %s", code, &stderr)
	}
	for _, address := range strings.Fields(stdout.String())[1:] {
		if serves(t, address) == nil {
			t.Errorf("%s still serves", address)
		}
	}
}

func TestServersNamedInTheEnvironmentAreUsedAsTheyAre(t *testing.T) {
	t.Setenv(testservers.RedisVariable, "redis://named")
	t.Setenv(testservers.MySQLVariable, "mysql://named")
	var stdout, stderr bytes.Buffer

	code := run([]string{"sh", "-c", script}, &stdout, &stderr)

	if code != 0 || !strings.HasSuffix(stdout.String(), " redis://named mysql://named\n") {
		t.Errorf("exit code %d, %s%s", code, &stdout, &stderr)
	}
}

func TestUsageAndCommandsThatDoNotStart(t *testing.T) {
	t.Setenv(testservers.RedisVariable, "redis://named")
	t.Setenv(testservers.MySQLVariable, "mysql://named")
	for want, args := range map[int][]string{exitUsage: nil, exitFailed: {"/no/such/program"}} {
		var stdout, stderr bytes.Buffer
		if code := run(args, &stdout, &stderr); code != want || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%q: exit code %d, want %d; output %q", args, code, want, stderr.String())
		}
	}
}

func TestSignalsEndTheCommandAndTheServers(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(sig.String(), func(t *testing.T) {
			if sig == syscall.SIGKILL && runtime.GOOS != "linux" {
				t.Skip("only Linux ends a child with its parent")
			}
			// A process that is killed leaves its folders behind.
			temp, err := os.MkdirTemp("", "ws") //nolint:usetesting // a socket's path must be short
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(temp) }) // a temporary folder
			program := exec.Command(os.Args[0], "sh", "-c", script+"; exec sleep 600")
			program.Env = append(os.Environ(), asProgram+"=1", testservers.RedisVariable+"=", testservers.MySQLVariable+"=", "TMPDIR="+temp)
			program.Stderr = os.Stderr
			stdout, err := program.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := program.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(stdout).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			found := strings.Fields(line)
			pid, err := strconv.Atoi(found[0])
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = syscall.Kill(-pid, syscall.SIGKILL) })

			if err := program.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			_ = program.Wait()

			if sig != syscall.SIGKILL {
				if code, want := program.ProcessState.ExitCode(), 128+int(sig); code != want {
					t.Errorf("exit code %d, want %d", code, want)
				}
				if err := syscall.Kill(pid, 0); err == nil {
					t.Error("the command still runs")
				}
			}
			for _, address := range found[1:] {
				testkit.Eventually(t, time.Minute, func() error {
					if serves(t, address) == nil {
						return fmt.Errorf("%s still serves", address)
					}
					return nil
				})
			}
		})
	}
}

// serves reports whether a server listens at a URL.
func serves(t *testing.T, address string) error {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil || u.Port() == "" {
		t.Fatalf("no address: %q, %v", address, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return fmt.Errorf("dial: %w", err)
	}
	return conn.Close()
}
