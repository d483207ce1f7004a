package testservers

import (
	"errors"
	"os"
	"os/exec"
)

// BrowserBinary finds a Chromium: the one that the environment names, or one in PATH.
func BrowserBinary() (string, error) {
	if path := os.Getenv(BrowserVariable); path != "" {
		return path, nil
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no Chromium is installed: install the package chromium, or set " + BrowserVariable)
}
