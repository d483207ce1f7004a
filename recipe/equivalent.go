package recipe

import (
	"encoding/json"
	"fmt"
)

// Equivalent reports whether two recipes do the same to every file and to the
// transfer. Names, descriptions, comments, layout, timeouts, retries and batch sizes
// make no difference.
func (r *Recipe) Equivalent(other *Recipe) bool {
	return r.Digest() == other.Digest() && r.finalEssence() == other.finalEssence()
}

// finalEssence returns everything that affects what the final steps do, as text. Digest
// leaves it out.
func (r *Recipe) finalEssence() string {
	all := make([][2]any, len(r.FinalSteps))
	for i, s := range r.FinalSteps {
		all[i] = [2]any{s.Handler, s.with.value}
	}
	b, err := json.Marshal(all) // object keys come out sorted
	if err != nil {             // the parser accepts only JSON values
		panic(fmt.Sprintf("encode final steps of recipe %s: %v", r.Name, err))
	}
	return string(b)
}
