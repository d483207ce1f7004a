package exec

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/command"
	"github.com/balerhq/baler/tasks"
)

// Values of arguments.
const (
	eachFile  = "file"
	eachBatch = "batch"

	pathsArguments = "arguments"
	pathsStdin     = "stdin"
	pathsList      = "list"

	stdinFile = "file"

	dirTemporary = "temporary"
)

// defaultMaxOutput ends a command that floods.
const defaultMaxOutput = 64 << 20

// place is the word of a command that stands for the paths, or for the list of them.
const place = "{}"

// emitPlace is the word of a command that stands for the folder of the file, see Emit.
const emitPlace = "{emit}"

// execArgs are the arguments as a recipe has them.
type execArgs struct {
	Command   command.Words     `json:"command"`
	Each      string            `json:"each"`
	Paths     string            `json:"paths"`
	Stdin     string            `json:"stdin"`
	Dir       string            `json:"dir"`
	Env       command.Variables `json:"env"`
	Outcomes  map[string]string `json:"outcomes"`
	Facts     *factArgs         `json:"facts"`
	MaxOutput tasks.Size        `json:"max_output"`
	Memory    tasks.Size        `json:"memory"`
	CPU       string            `json:"cpu"`
	Parallel  int               `json:"parallel"`
	Emit      string            `json:"emit"`
}

// spec is a checked step.
type spec struct {
	execArgs
	each     string
	limits   command.Limits
	outcomes outcomes
	facts    *facts
	parallel int
}

// key is the same for steps that one process can serve.
func (s *spec) key() string {
	facts, err := json.Marshal(s.Facts)
	if err != nil { // it was read from JSON
		panic(fmt.Sprintf("encode facts: %v", err))
	}
	return fmt.Sprintf("%q %q %q %q %q %s %d %d %s", s.Command, s.Env, s.Dir, s.Paths, s.Outcomes, facts, s.MaxOutput, s.Memory, s.CPU)
}

// parse reads a step's arguments; all that is wrong is one error of the recipe.
func parse(args any) (*spec, error) {
	s := &spec{}
	if err := handlers.DecodeArgs(args, &s.execArgs); err != nil {
		return nil, err
	}
	s.Command.Raw(args, "command")
	s.Env.Raw(args, "env")
	var wrong []error
	wrong = append(wrong, s.checkWords()...)
	wrong = append(wrong, s.checkBatch()...)
	var err error
	if s.outcomes, err = parseOutcomes(s.Outcomes); err != nil {
		wrong = append(wrong, err)
	}
	if s.facts, err = parseFacts(s.Facts, s.each); err != nil {
		wrong = append(wrong, err)
	}
	if err := s.checkLimits(); err != nil {
		wrong = append(wrong, err)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, handlers.Fail(handlers.CodeBadArgs, err)
	}
	return s, nil
}

func (s *spec) checkWords() (wrong []error) {
	if len(s.Command) == 0 || s.Command[0] == "" {
		wrong = append(wrong, errors.New(`there is no command: give a list, as in command: [file, --brief, "${path}"]`))
	}
	if s.Stdin != "" && s.Stdin != stdinFile && s.Stdin != "none" {
		wrong = append(wrong, fmt.Errorf("stdin %q must be file (the file's content) or none", s.Stdin))
	}
	if _, err := command.Environment(s.Env); err != nil {
		wrong = append(wrong, err)
	}
	if s.Emit != "" && !filepath.IsAbs(s.Emit) && !strings.HasPrefix(s.Emit, "${") {
		wrong = append(wrong, fmt.Errorf("emit %q must be an absolute path, that of the folder into which the command writes", s.Emit))
	}
	switch named := s.namesEmit(); {
	case s.Emit != "" && !named:
		wrong = append(wrong, errors.New(
			`emit is set, and nothing tells the command where to write: `+
				`write {emit} in command or env, as in "{emit}/page-%d.png", or dir: "{emit}"`))
	case s.Emit == "" && named:
		wrong = append(wrong, errors.New("{emit} stands for the folder of a file below emit: set emit to an absolute path"))
	}
	s.parallel = max(s.Parallel, 1)
	return wrong
}

func (s *spec) checkBatch() (wrong []error) {
	s.each = s.Each
	if s.each == "" {
		s.each = eachFile
	}
	places := 0
	for _, w := range s.Command {
		if w == place {
			places++
		}
	}
	switch {
	case s.each == eachFile && s.Paths != "":
		wrong = append(wrong, errors.New(`paths is for each: batch; the path of one file is "${path}"`))
	case s.each == eachFile:
	case s.Emit != "":
		wrong = append(wrong, errors.New("emit is for each: file: of a batch nobody knows which file the others come from"))
	case s.each != eachBatch:
		wrong = append(wrong, fmt.Errorf("each %q must be file or batch", s.each))
	case s.Stdin == stdinFile:
		wrong = append(wrong, errors.New("stdin: file is for each: file"))
	case !slices.Contains([]string{"", pathsArguments, pathsStdin, pathsList}, s.Paths):
		wrong = append(wrong, fmt.Errorf("paths %q must be arguments, stdin (separated by NUL) or list (the name of a file with a path a line)",
			s.Paths))
	case s.Paths == pathsList && places != 1, places > 1:
		wrong = append(wrong, errors.New(`the command must have "{}" once, as a word of its own, where the paths go`))
	}
	return wrong
}

func (s *spec) checkLimits() error {
	if s.CPU != "" {
		d, err := tasks.ParseDuration(s.CPU)
		if err != nil || d <= 0 {
			return fmt.Errorf("cpu %q is not a time; write it as 30s or 10m", s.CPU)
		}
		s.limits.CPU = d
	}
	if s.MaxOutput < 0 || s.Memory < 0 {
		return errors.New("max_output and memory must be positive")
	}
	if s.MaxOutput == 0 {
		s.MaxOutput = defaultMaxOutput
	}
	s.limits.Memory = int64(s.Memory)
	return s.limits.Check()
}
