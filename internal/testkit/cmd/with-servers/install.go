package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/testservers"
)

// need is a missing server: neither named in the environment nor installed.
type need int

const (
	needRedis need = iota
	needMySQL
	needBrowser // optional: tests in a browser are skipped without one
)

// missing lists the servers that have to be installed.
func missing(getenv func(string) string) []need {
	var needs []need
	if _, err := testservers.RedisBinary(); err != nil && getenv(testservers.RedisVariable) == "" {
		needs = append(needs, needRedis)
	}
	if _, err := testservers.MySQLBinary(); err != nil && getenv(testservers.MySQLVariable) == "" {
		needs = append(needs, needMySQL)
	}
	return needs
}

// manager is a way to install packages.
type manager struct {
	name     string
	asRoot   bool       // only root may use it; brew refuses root
	before   [][]string // commands that come first
	install  []string   // the packages follow
	packages map[need]string
}

func managers() []manager {
	quiet := []string{"env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=120", "-qq"}
	return []manager{{
		name: "apt-get", asRoot: true,
		before:   [][]string{slices.Concat(quiet, []string{"update"})},
		install:  slices.Concat(quiet, []string{"install", "-y", "--no-install-recommends"}),
		packages: map[need]string{needRedis: "redis-server", needMySQL: "mariadb-server", needBrowser: "chromium"},
	}, {
		name: "dnf", asRoot: true,
		install:  []string{"dnf", "install", "-y", "-q"},
		packages: map[need]string{needRedis: "redis", needMySQL: "mariadb-server", needBrowser: "chromium"},
	}, {
		name: "apk", asRoot: true,
		install:  []string{"apk", "add", "--no-cache", "-q"},
		packages: map[need]string{needRedis: "redis", needMySQL: "mariadb", needBrowser: "chromium"},
	}, {
		name:     "brew",
		install:  []string{"brew", "install", "-q"},
		packages: map[need]string{needRedis: "redis", needMySQL: "mariadb"},
	}}
}

// plan has the commands that install missing servers, each with a prefix, such as sudo, for
// the rights that it needs.
func (m manager) plan(needs []need, prefix []string) [][]string {
	install := m.install
	for _, n := range needs {
		install = append(slices.Clip(install), m.packages[n])
	}
	var commands [][]string
	for _, c := range append(slices.Clip(m.before), install) {
		commands = append(commands, slices.Concat(prefix, c))
	}
	return commands
}

// install installs missing servers, or returns an error that tells a person what to install.
func install(ctx context.Context, needs []need, log io.Writer) error {
	if len(needs) == 0 {
		return nil
	}
	m, prefix, ok := choose(ctx)
	if !ok {
		return fmt.Errorf("please install %s", byHand(needs))
	}
	runAll(ctx, m.plan(needs, prefix), log)
	if left := missing(os.Getenv); len(left) > 0 {
		return fmt.Errorf("%s did not install it: please install %s", m.name, byHand(left))
	}
	return nil
}

// installBrowser installs a browser where none is, if that is possible. Without one, tests
// that need it are skipped, and say so.
func installBrowser(ctx context.Context, log io.Writer) {
	m, prefix, ok := choose(ctx)
	if _, err := testservers.BrowserBinary(); err == nil || !ok || m.packages[needBrowser] == "" {
		return
	}
	runAll(ctx, m.plan([]need{needBrowser}, prefix), log)
}

// runAll runs commands one after the other. A package is installed even if its service cannot be
// started, as in a container: only the presence of the programs counts, and errors are only logged.
func runAll(ctx context.Context, commands [][]string, log io.Writer) {
	for _, c := range commands {
		_, _ = fmt.Fprintf(log, "with-servers: %s\n", strings.Join(c, " ")) // a failed write cannot be reported
		cmd := exec.CommandContext(ctx, c[0], c[1:]...)
		cmd.Stdout, cmd.Stderr = log, log
		if err := cmd.Run(); err != nil {
			_, _ = fmt.Fprintf(log, "with-servers: %s: %v\n", c[0], err) // as above
		}
	}
}

// choose finds a package manager that this account may use without a password.
func choose(ctx context.Context) (m manager, prefix []string, ok bool) {
	root := os.Getuid() == 0
	sudo := !root && exec.CommandContext(ctx, "sudo", "-n", "true").Run() == nil
	for _, m := range managers() {
		if _, err := exec.LookPath(m.name); err != nil {
			continue
		}
		switch {
		case m.asRoot == root:
			return m, nil, true
		case m.asRoot && sudo:
			return m, []string{"sudo", "-n"}, true
		}
	}
	return manager{}, nil, false
}

// byHand returns instructions for a person who installs the servers, or names others.
func byHand(needs []need) string {
	names := map[need]string{
		needRedis: "redis-server (or set " + testservers.RedisVariable + ")",
		needMySQL: "mariadb-server (or set " + testservers.MySQLVariable + ")",
	}
	var list []string
	for _, n := range needs {
		list = append(list, names[n])
	}
	return strings.Join(list, " and ")
}
