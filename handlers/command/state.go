package command

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// State describes the files that a command is made of: the program, and the words that name
// files, such as a script. It changes when one of them does. Relative names are of dir, as for
// Resolve. It is not ok when there is no such program.
func State(words []string, dir string) (state string, ok bool) {
	var all strings.Builder
	for i, word := range words {
		path, err := ResolveFile(word, dir)
		if i == 0 {
			if path, err = Resolve(word, dir); err == nil {
				path, err = exec.LookPath(path)
			}
		}
		info, statErr := os.Stat(path)
		switch {
		case err == nil && statErr == nil && info.Mode().IsRegular():
			fmt.Fprintf(&all, "%q %d %d\n", filepath.Base(path), info.Size(), info.ModTime().UnixNano())
		case i == 0:
			return "", false
		}
	}
	return all.String(), true
}
