package main

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	goyaml "github.com/goccy/go-yaml"

	"github.com/balerhq/baler/config"
)

// service is what is checked of a service.
type service struct {
	Image       string
	Command     any // a list, or a text
	Ports       []string
	Environment map[string]string
	Volumes     []string
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	HealthCheck *struct {
		Test    []string
		Disable bool
	}
}

type composeFile struct {
	Services map[string]service
	Volumes  map[string]any
}

// conditions are those that compose knows.
func conditions() []string {
	return []string{"service_started", "service_healthy", "service_completed_successfully"}
}

// variable is ${NAME}, ${NAME:-default} or ${NAME:?message}; $$ is a dollar.
var variable = regexp.MustCompile(`\$\$|\$\{([A-Z_]+)(:[-?][^}]*)?\}|\$`)

// check returns every mistake of a compose file, joined.
func check(text []byte) error {
	var f composeFile
	// A key that a merge brought in may be set again: the library takes it for a duplicate.
	if err := goyaml.UnmarshalWithOptions(text, &f, goyaml.AllowDuplicateMapKey()); err != nil {
		return fmt.Errorf("it is no compose file: %w", err)
	}
	var wrong []error
	for _, name := range []string{"redis", "mysql", "migrate", "worker", "serve"} {
		if _, there := f.Services[name]; !there {
			wrong = append(wrong, fmt.Errorf("the service %s is missing", name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.Services)) {
		s := f.Services[name]
		for _, err := range checkService(&f, &s) {
			wrong = append(wrong, fmt.Errorf("service %s: %w", name, err))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.Volumes)) {
		if !strings.Contains(string(text), "- "+name+":/") {
			wrong = append(wrong, fmt.Errorf("the volume %s is not used", name))
		}
	}
	return errors.Join(wrong...)
}

func checkService(f *composeFile, s *service) (wrong []error) {
	if s.Image == "" {
		wrong = append(wrong, errors.New("it has no image"))
	}
	for _, on := range slices.Sorted(maps.Keys(s.DependsOn)) {
		other, there := f.Services[on]
		condition := s.DependsOn[on].Condition
		switch {
		case !there:
			wrong = append(wrong, fmt.Errorf("it depends on %s, which is missing", on))
		case !slices.Contains(conditions(), condition):
			wrong = append(wrong, fmt.Errorf("its condition on %s is %q", on, condition))
		case condition == "service_healthy" && (other.HealthCheck == nil || other.HealthCheck.Disable || len(other.HealthCheck.Test) == 0):
			wrong = append(wrong, fmt.Errorf("it waits until %s is healthy, which has no health check", on))
		}
	}
	for _, port := range s.Ports {
		if !strings.HasPrefix(port, "127.0.0.1:") {
			wrong = append(wrong, fmt.Errorf("it publishes %s on every interface", port))
		}
	}
	for _, v := range s.Volumes {
		source, _, _ := strings.Cut(v, ":/")
		if _, named := f.Volumes[source]; !named && !strings.ContainsAny(source, "./$") {
			wrong = append(wrong, fmt.Errorf("its volume %s is not defined", source))
		}
	}
	known := make(map[string]bool)
	for _, setting := range config.Settings() {
		known[setting.Variable] = true
	}
	for _, name := range slices.Sorted(maps.Keys(s.Environment)) {
		if strings.HasPrefix(name, "BALER_") && !known[name] {
			wrong = append(wrong, fmt.Errorf("no setting is called %s", name))
		}
		for _, v := range variable.FindAllStringSubmatch(s.Environment[name], -1) {
			if v[0] == "$" {
				wrong = append(wrong, fmt.Errorf("%s has a dollar that begins no variable", name))
			}
		}
	}
	return wrong
}
