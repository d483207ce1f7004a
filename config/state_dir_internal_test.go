package config

import (
	"path/filepath"
	"strings"
	"testing"
)

// A user has one state folder, whichever shell starts Baler.
func TestStateFolderOfASystem(t *testing.T) {
	t.Parallel()
	// Roots that are absolute on the system that runs the test.
	home, local, state := t.TempDir(), t.TempDir(), t.TempDir()
	for _, c := range []struct {
		system string
		env    map[string]string
		want   string
	}{
		{"linux", map[string]string{"HOME": home, "LOCALAPPDATA": local}, filepath.Join(home, ".local", "state", "baler")},
		{"darwin", map[string]string{"HOME": home}, filepath.Join(home, ".local", "state", "baler")},
		{"linux", map[string]string{"LOCALAPPDATA": local}, ""},
		{"linux", map[string]string{"HOME": "here"}, ""},
		{"windows", map[string]string{"HOME": home, "LOCALAPPDATA": local}, filepath.Join(local, "baler")},
		{"windows", map[string]string{"HOME": home}, ""},
		{"windows", map[string]string{"LOCALAPPDATA": "here"}, ""},
		{"windows", map[string]string{"LOCALAPPDATA": local, "XDG_STATE_HOME": state}, filepath.Join(state, "baler")},
	} {
		if got := stateDir(c.system, c.env); got != c.want {
			t.Errorf("%s with %v: %q, not %q", c.system, c.env, got, c.want)
		}
	}
}

func TestHintsNameWhatTheSystemHas(t *testing.T) {
	t.Parallel()
	if got := homeVariable("windows") + " " + rootFolder("windows"); !strings.HasPrefix(got, `LOCALAPPDATA a drive`) {
		t.Errorf("on Windows: %s", got)
	}
	if got := homeVariable("linux") + " " + rootFolder("linux"); got != "HOME /" {
		t.Errorf("on Linux: %s", got)
	}
}
