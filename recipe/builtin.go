package recipe

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed builtin/*.yaml
var builtins embed.FS

// Default is the name of the recipe that is used when none is named.
const Default = "default"

// Builtins returns the names of the built-in recipes, sorted.
func Builtins() []string {
	entries, err := builtins.ReadDir("builtin")
	if err != nil { // the folder is embedded
		panic(fmt.Sprintf("list built-in recipes: %v", err))
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), ".yaml")
	}
	return names
}

// Builtin returns the built-in recipe of that name.
func Builtin(name string) (*Recipe, bool) {
	if !isWord(name) {
		return nil, false
	}
	file := "builtin/" + name + ".yaml"
	source, err := builtins.ReadFile(file)
	if err != nil { // reading an embedded file fails only when it does not exist
		return nil, false
	}
	r, err := Parse(file, source)
	if err != nil { // a test parses all of them
		panic(fmt.Sprintf("built-in recipe: %v", err))
	}
	return r, true
}
