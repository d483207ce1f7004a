package recipe

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed builtin/*.yaml
var builtins embed.FS

// Builtins lists the names of the recipes that come with the program, sorted.
func Builtins() []string {
	entries, err := builtins.ReadDir("builtin")
	if err != nil { // the folder is part of the program
		panic(fmt.Sprintf("list built-in recipes: %v", err))
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), ".yaml")
	}
	return names
}

// Builtin returns the recipe of that name that comes with the program.
func Builtin(name string) (*Recipe, bool) {
	if !isWord(name) {
		return nil, false
	}
	file := "builtin/" + name + ".yaml"
	source, err := builtins.ReadFile(file)
	if err != nil { // an embedded file fails to read only when there is none
		return nil, false
	}
	r, err := Parse(file, source)
	if err != nil { // they are part of the program, and every one is tested
		panic(fmt.Sprintf("built-in recipe: %v", err))
	}
	return r, true
}
