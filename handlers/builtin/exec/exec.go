// Package exec runs a command that a recipe names, for each file or for a batch at once. No
// shell reads its arguments. A command that crashes, hangs, floods or leaves children behind
// ends as one verdict of one file.
package exec

import (
	"context"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/command"
	"github.com/balerhq/baler/tasks"
)

// The codes that exec gives, beside those of package command, "exit-N" and "signal-NAME".
const (
	CodeOutputLimit = "output-limit" // the command wrote more than max_output, and was ended
	CodeCPULimit    = "cpu-limit"    // the command used more processor time than cpu
	CodeBadFacts    = "bad-facts"    // its output is not what facts expects
	CodeBadEmit     = "bad-emit"     // what the command has written cannot be files of the transfer
	CodeNoFacts     = "no-facts"     // its output for a batch does not name the file
)

// Register adds the handler exec to a registry; see New.
func Register(reg *handlers.Registry) error {
	return reg.Register("exec", New(), docs(), handlers.WithoutEarlierFacts(),
		handlers.WithDescription("runs a command for each file or batch; outcomes by exit code, facts from its output"),
		handlers.WithBatch(tasks.BatchPolicy{MaxItems: 128, MaxBytes: 1 << 30}),
		handlers.WithTimedFiles(), handlers.WithTimeout(command.DefaultTimeout),
		handlers.WithOutputFolder("emit"), handlers.WithArgsCheck(handlers.CheckWith(parse)), handlers.WithFactsOf(factNames),
		handlers.WithPrograms(programs), handlers.WithReuse(handlers.ReuseByName, "1"), handlers.WithReuseState(state))
}

// state is that of the program and of the scripts that the command names.
func state(args any, dir string) (string, bool) {
	s, err := parse(args)
	if err != nil {
		return "", false
	}
	return command.State(s.Command, dir)
}

// programs is the program of a step.
func programs(args any) []string {
	if s, err := parse(args); err == nil {
		return s.Command[:1]
	}
	return nil // the check of the arguments reports the error
}

// New runs the command of the step's arguments; docs/handlers/exec.md lists them.
func New() handlers.Handler { return handler{} }

type handler struct{}

// Handle runs jobs whose arguments want a command a file as PerFile does, and the others in
// groups of equal arguments.
func (handler) Handle(ctx context.Context, jobs []*handlers.Job) error {
	var single []*handlers.Job
	parallel := 1
	var groups [][]*handlers.Job
	byArgs := make(map[string]int)
	for _, job := range jobs {
		s, err := parse(job.Args())
		switch {
		case err != nil:
			job.Finish(err)
		case s.each == eachFile:
			single, parallel = append(single, job), max(parallel, s.parallel)
		default:
			key := s.key()
			i, ok := byArgs[key]
			if !ok {
				i = len(groups)
				byArgs[key], groups = i, append(groups, nil)
			}
			groups[i] = append(groups[i], job)
		}
	}
	if len(single) > 0 {
		if err := handlers.PerFile(runFile, handlers.Parallel(parallel)).Handle(ctx, single); err != nil {
			return err
		}
	}
	for _, group := range groups {
		if err := runBatch(ctx, group); err != nil {
			return err
		}
	}
	return nil
}
