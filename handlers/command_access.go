package handlers

import "errors"

// CodeCommandsNotAllowed says that this worker runs no programs for the job's recipe.
const CodeCommandsNotAllowed = "commands-not-allowed"

// CommandAccess says whether the programs that a recipe names may run. A recipe comes
// through the database: without this, whoever may submit would have a shell on every worker.
type CommandAccess struct {
	Allowed bool
	Dir     string // folder of the recipe's file, for relative paths of programs and scripts; empty when there is none
}

// CommandAccess returns whether this job may run programs that its recipe names, or an
// error that ends the job. Programs that a handler itself chooses need no permission.
func (j *Job) CommandAccess() (CommandAccess, error) {
	if j.spec.Commands != nil {
		if access := j.spec.Commands(); access.Allowed {
			return access, nil
		}
	}
	return CommandAccess{}, RetryLater(CodeCommandsNotAllowed, errors.New(
		"this worker does not run the programs of this recipe: put the recipe's file into a folder of the setting worker.recipes "+
			"(BALER_WORKER_RECIPES) of the worker, or set worker.allow_commands if everybody who may submit may also run programs there"))
}

// Facts are the values that earlier steps recorded of the file and that the step reads. It
// must not be changed.
func (j *Job) Facts() map[string]any { return j.spec.Facts }
