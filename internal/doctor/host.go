package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/tasks"
)

// diagnoseHost checks the folders and signatures of this host.
func (d *doctor) diagnoseHost() []Check {
	var checks []Check
	for _, root := range d.cfg.Roots {
		if tasks.IsObject(root) {
			checks = append(checks, well("roots", "%s is read with the credentials of the environment", withoutParameters(root)))
			continue
		}
		checks = append(checks, readable(root))
	}
	if len(checks) == 0 {
		checks = append(checks, d.noRoots())
	}
	for _, dir := range d.cfg.Outputs {
		if tasks.IsObject(dir) {
			checks = append(checks, well("outputs", "%s is written with the credentials of the environment", withoutParameters(dir)))
			continue
		}
		if err := tryWriting(dir); err != nil {
			checks = append(checks, ill("outputs", StatusError, err, "make the folder, writable to this account, or correct BALER_OUTPUTS"))
			continue
		}
		checks = append(checks, well("outputs", "%s is writable", dir))
	}
	checks = append(checks, d.diagnoseJournal()...)
	checks = append(checks, d.certificates()...)
	return append(checks, diagnoseHandlers(d.registry)...)
}

// withoutParameters is an address in object storage up to its parameters.
func withoutParameters(address string) string {
	path, _, _ := strings.Cut(address, "?")
	return path
}

// noRoots reports that no roots are set.
func (d *doctor) noRoots() Check {
	database, err := config.ParseDatabase(d.cfg.Database.URL)
	if d.cfg.Redis.URL == string(config.Embedded) && (err != nil || database.Driver == "sqlite") {
		return well("roots", "none set: workers read the sources of each transfer")
	}
	return Check{
		"roots", StatusWarning, "none set: no worker starts, because others can write to this queue or database " +
			"and choose the files that it reads",
		"set BALER_ROOTS to the folders that workers may read",
	}
}

func readable(root string) Check {
	d, err := os.Open(root)
	if err != nil {
		return ill("roots", StatusError, err, "make the folder readable to this account, or correct BALER_ROOTS")
	}
	defer func() { _ = d.Close() }() // nothing was written
	if info, err := d.Stat(); err != nil || !info.IsDir() {
		return Check{"roots", StatusError, fmt.Sprintf("%s is not a folder", root), "correct BALER_ROOTS"}
	}
	return well("roots", "%s", root)
}

// writable tries to write in the folder of a SQLite database, or in its nearest parent
// that exists.
func writable(folder string) Check {
	const advice = "make the folder writable to this account, or set BALER_STATE_DIR"
	for {
		_, err := os.Stat(folder)
		if err == nil {
			break
		}
		above := filepath.Dir(folder)
		if !errors.Is(err, fs.ErrNotExist) || above == folder {
			return ill("state folder", StatusError, err, advice)
		}
		folder = above
	}
	if err := tryWriting(folder); err != nil {
		return ill("state folder", StatusError, err, advice)
	}
	return well("state folder", "%s is writable", folder)
}

func tryWriting(folder string) error {
	f, err := os.CreateTemp(folder, ".baler-doctor-*")
	if err != nil {
		return fmt.Errorf("try to write: %w", err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// diagnoseHandlers runs the checks that handlers registered.
func diagnoseHandlers(registry *handlers.Registry) []Check {
	var checks []Check
	for _, name := range registry.Names() {
		reg, _ := registry.Lookup(name)
		if reg.SelfCheck == nil {
			continue
		}
		found, err := reg.SelfCheck.Run()
		if err != nil {
			checks = append(checks, ill(reg.SelfCheck.Name, StatusError, err, reg.SelfCheck.Hint))
			continue
		}
		checks = append(checks, well(reg.SelfCheck.Name, "%s", found))
	}
	return checks
}
