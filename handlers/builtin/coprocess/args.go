package coprocess

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/command"
	"github.com/balerhq/baler/tasks"
)

// defaultMaxBatches is after how many batches a child is replaced: scripts leak.
const defaultMaxBatches = 1000

// coprocessArgs are the arguments as a recipe has them.
type coprocessArgs struct {
	Script      string            `json:"script"`
	Interpreter command.Words     `json:"interpreter"`
	Command     command.Words     `json:"command"`
	Env         command.Variables `json:"env"`
	Memory      tasks.Size        `json:"memory"`
	MaxBatches  int               `json:"max_batches"`
	Version     any               `json:"version"` // changes the recipe when the script has changed
	Emit        string            `json:"emit"`    // the folder below which each file has one of its own

	Args  any            `json:"args"`  // for the job
	Facts map[string]any `json:"facts"` // for the job
}

// spec is what a child is started from.
type spec struct {
	coprocessArgs
	script string // resolved; empty when the command speaks the protocol
	dir    string
}

// key is the same for steps that one child can serve.
func (s *spec) key() string {
	return fmt.Sprintf("%q %q %q %q %q %d %d", s.script, s.Interpreter, s.Command, s.Env, s.dir, s.Memory, s.MaxBatches)
}

func parse(args any) (*spec, error) {
	s := &spec{}
	if err := handlers.DecodeArgs(args, &s.coprocessArgs); err != nil {
		return nil, err
	}
	var wrong []error
	switch {
	case s.Script == "" && len(s.Command) == 0:
		wrong = append(wrong, errors.New("name a script, as in script: lines.py, or a command that speaks the protocol"))
	case s.Script != "" && len(s.Command) > 0:
		wrong = append(wrong, errors.New("give either script or command"))
	case s.Script != "" && len(s.Interpreter) == 0 && interpreter(s.Script) == "":
		wrong = append(wrong, fmt.Errorf("script %s is neither Python (.py) nor JavaScript (.mjs, .js): give command instead", s.Script))
	case len(s.Interpreter) > 0 && interpreter(s.Script) == "":
		wrong = append(wrong, errors.New("interpreter is for a script that ends in .py, .mjs or .js"))
	}
	if s.Emit != "" && !filepath.IsAbs(s.Emit) && !strings.HasPrefix(s.Emit, "${") {
		wrong = append(wrong, fmt.Errorf("emit %q must be an absolute path, that of the folder into which the script writes", s.Emit))
	}
	if s.MaxBatches < 0 || s.Memory < 0 {
		wrong = append(wrong, errors.New("max_batches and memory must be positive"))
	}
	if s.MaxBatches == 0 {
		s.MaxBatches = defaultMaxBatches
	}
	if _, err := command.Environment(s.Env); err != nil {
		wrong = append(wrong, err)
	}
	if err := (command.Limits{Memory: int64(s.Memory)}).Check(); err != nil {
		wrong = append(wrong, err)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, handlers.Fail(handlers.CodeBadArgs, err)
	}
	return s, nil
}

// interpreter is the program that runs scripts of this kind.
func interpreter(script string) string {
	switch filepath.Ext(script) {
	case ".py":
		return "python3"
	case ".mjs", ".js":
		return "node"
	}
	return ""
}

// resolve finds the script and the program. Relative paths are of the folder of the recipe's
// file.
func (s *spec) resolve(dir string) (err error) {
	s.dir = dir
	if s.dir == "" {
		s.dir = os.TempDir()
	}
	if s.Script == "" {
		s.Command[0], err = command.Resolve(s.Command[0], dir)
	} else {
		s.script, err = command.ResolveFile(s.Script, dir)
	}
	if err == nil && s.script != "" {
		_, err = os.Stat(s.script)
	}
	if err != nil {
		return handlers.RetryLater(command.CodeCommandNotFound, err)
	}
	return nil
}
