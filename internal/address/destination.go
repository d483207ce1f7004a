package address

import (
	"errors"
	"fmt"

	"github.com/balerhq/baler/tasks"
)

// CheckDestination reports what is wrong with a destination of a recipe, if it is in object
// storage. Recipes are kept and shown, and it is for each worker to know how a bucket is
// reached: so it has no parameters.
func CheckDestination(to string) error {
	if !tasks.IsObject(to) {
		return nil
	}
	_, params, err := Parse(to)
	if err != nil {
		return fmt.Errorf("to: %w", err)
	}
	if len(params) > 0 {
		return errors.New("to has parameters: give them in BALER_OUTPUTS, or set what the environment has, such as AWS_ENDPOINT_URL")
	}
	return nil
}
