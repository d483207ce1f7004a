package command

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// passedOn are the variables that every program may see.
//
//nolint:gosec // names, not secrets
const passedOn = "PATH HOME LANG LANGUAGE LC_ALL LC_CTYPE LC_MESSAGES LC_NUMERIC LC_COLLATE LC_TIME TZ TMPDIR TEMP TMP SYSTEMROOT"

// Environment makes the environment of a program that a recipe names: a few harmless
// variables of this process and those that the list allows, each as NAME, which passes it
// on, or as NAME=value. Variables of Baler, which hold passwords, are refused.
func Environment(allowed []string) ([]string, error) {
	var env []string
	for name := range strings.FieldsSeq(passedOn) {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	for _, entry := range allowed {
		name, _, given := strings.Cut(entry, "=")
		switch {
		case name == "":
			return nil, fmt.Errorf("env: %q has no name; write NAME or NAME=value", entry)
		case strings.HasPrefix(name, "BALER_") && !given:
			return nil, fmt.Errorf("env: %s is not passed on: variables of Baler may hold passwords", name)
		case given:
			env = append(env, entry) // of two, the later one holds
		default:
			if value, ok := os.LookupEnv(name); ok {
				env = append(env, name+"="+value)
			}
		}
	}
	return env, nil
}

// Resolve returns the path of a program or script that a recipe names. A relative path is
// relative to dir, the folder of the recipe's file, which may be unknown. A name without a
// slash stays as it is: it is looked for in PATH.
func Resolve(name, dir string) (string, error) {
	if name == "" {
		return "", errors.New("the name of the program is empty")
	}
	if !strings.ContainsRune(filepath.ToSlash(name), '/') {
		return name, nil
	}
	return ResolveFile(name, dir)
}

// ResolveFile is Resolve for a file that is never looked for in PATH.
func ResolveFile(name, dir string) (string, error) {
	if filepath.IsAbs(name) {
		return name, nil
	}
	if dir == "" {
		return "", fmt.Errorf("%s is relative to the folder of the recipe's file, which this worker does not know: "+
			"put the recipe into a folder of worker.recipes, or write an absolute path", name)
	}
	return filepath.Join(dir, name), nil
}
