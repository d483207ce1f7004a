package testservers

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// fakeMariaDB writes programs with the behaviour of MariaDB's, which count how often
// they initialise a data folder.
func fakeMariaDB(t *testing.T) (binary, count string) {
	t.Helper()
	dir := t.TempDir()
	binary, count = filepath.Join(dir, "mariadbd"), filepath.Join(dir, "count")
	for path, text := range map[string]string{
		binary: "#!/bin/sh\necho mariadbd 1.2.3-MariaDB\n",
		filepath.Join(dir, "mariadb-install-db"): `#!/bin/sh
echo x >>"` + count + `"
for a; do case $a in --datadir=*) mkdir -p "${a#*=}/mysql" && echo fresh >"${a#*=}/mysql/user"; esac; done
`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return binary, count
}

func TestDataFolderIsInitialisedOnceAndThenCopied(t *testing.T) {
	binary, count := fakeMariaDB(t)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())

	for range 3 {
		dir := filepath.Join(t.TempDir(), "data")
		if err := fillData(t.Context(), binary, dir); err != nil {
			t.Fatal(err)
		}
		user := filepath.Join(dir, "mysql", "user")
		if b, err := os.ReadFile(user); err != nil || string(b) != "fresh\n" {
			t.Errorf("data folder: %q, %v", b, err)
		}
		if err := os.WriteFile(user, []byte("used"), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	if b, err := os.ReadFile(count); err != nil || string(b) != "x\n" {
		t.Errorf("initialised %d times, error %v; want once", len(b)/2, err)
	}
}

func TestConcurrentProcessesAllGetACompleteTemplate(t *testing.T) {
	binary, _ := fakeMariaDB(t)
	template := filepath.Join(t.TempDir(), "template")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := makeTemplate(t.Context(), binary, template); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(filepath.Join(template, "mysql", "user")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	left, err := os.ReadDir(filepath.Dir(template))
	if err != nil || len(left) != 1 {
		t.Errorf("left beside the template: %v, %v", left, err)
	}
}

func TestDataFolderWithoutACacheIsInitialisedInPlace(t *testing.T) {
	binary, _ := fakeMariaDB(t)
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	dir := filepath.Join(t.TempDir(), "data")
	if err := fillData(t.Context(), binary, dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "mysql", "user")); err != nil {
		t.Error(err)
	}
}

func TestMissingBinariesHaveAnErrorOfTheirOwn(t *testing.T) {
	t.Parallel()
	if _, err := find("no-such-server"); !errors.Is(err, ErrMissing) {
		t.Errorf("got %v", err)
	}
}
