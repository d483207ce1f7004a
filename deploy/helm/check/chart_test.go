// Package check renders the Helm chart and compares its objects with the types of Kubernetes and KEDA.
package check

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	keda "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

const chartFolder = "../baler"

// everything turns all parts of the chart on.
const everything = `
image: {digest: "sha256:0000000000000000000000000000000000000000000000000000000000000000", pullSecrets: [{name: registry}]}
config: {handlers: {thumbnail: {timeout: 5m}}}
recipes: {ocr.yaml: "steps: []"}
env: [{name: AWS_REGION, value: eu-central-1}]
envFrom: [{secretRef: {name: s3}}]
roots: [/data, "s3://bucket/in"]
outputs: [/out]
volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
volumeMounts: [{name: data, mountPath: /data}]
podAnnotations: {a: b}
nodeSelector: {disk: ssd}
tolerations: [{key: batch, operator: Exists}]
affinity: {nodeAffinity: {}}
worker: {autoscaling: {enabled: true, filesPerWorker: 5000000}}
serve:
  replicas: 2
  hosts: [baler.example.org]
  url: https://baler.example.org
  ingress: {enabled: true, className: nginx, annotations: {a: b}, tlsSecretName: baler-tls}
networkPolicy: {serveFrom: [{podSelector: {}}]}
`

// unusual has values that are right, and that a template can spoil: numbers of seven digits and more,
// which Go prints with an exponent, and names that YAML takes for something else.
const unusual = `
image: {tag: nightly-2026-11-28.0123456789abcdef0123456789abcdef01234567.with-all-handlers}
secretName: "0123"
userID: 1000680000
groupID: 1000680000
tmpSize: "1e12"
config: {redis: {tls: {ca: /etc/tls/ca.crt}}, http: {monitor_read_only: false}}
env: [{name: BALER_LOG_FORMAT, value: text}, {name: BALER_REDIS_POOL_SIZE, value: "20"}]
worker:
  replicas: 3
  terminationGracePeriodSeconds: 1000000
  maxUnavailable: 50%
serve:
  hosts: ["*.example.org", "true"]
  service: {type: LoadBalancer, port: 443}
  ingress: {enabled: true, className: "yes", tlsSecretName: "1e3"}
migrate: {databaseKey: "404", activeDeadlineSeconds: 1000000}
networkPolicy: {metricsFrom: [], egress: []}
`

// object is one rendered object, decoded into its Go type.
type object struct {
	typed any
	meta  meta.ObjectMeta
	pod   *core.PodTemplateSpec // nil for objects without pods
}

func TestChart(t *testing.T) {
	for name, values := range map[string]string{
		"defaults":   "",
		"everything": everything,
		"unusual":    unusual,
		"autoscaling without serve": "{serve: {enabled: false}, worker: {autoscaling: {enabled: true, minReplicas: 2, maxReplicas: 1000000, " +
			"filesPerWorker: 5000000, cooldown: 1000000}}}",
		"autoscaling to none": "{worker: {autoscaling: {enabled: true, minReplicas: 0, filesPerWorker: 5000000}}}",
		"least":               "{serve: {enabled: false}, migrate: {enabled: false}, networkPolicy: {enabled: false}}",
	} {
		t.Run(name, func(t *testing.T) {
			objects, err := render(values)
			if err != nil {
				t.Fatal(err)
			}
			pods := map[string]*core.PodTemplateSpec{}
			for _, o := range objects {
				if o.pod != nil {
					pods[o.meta.Name] = o.pod
					checkPod(t, o.meta.Name, o.pod)
				}
			}
			for _, o := range objects {
				checkSelects(t, o, pods)
			}
		})
	}
}

// The migration, too, needs the variables of a connection.
func TestEveryProcessHasTheGivenVariables(t *testing.T) {
	objects, err := render("{env: [{name: BALER_DATABASE_TLS_CA, value: /etc/tls/ca.crt}, {name: BALER_LOG_FORMAT, value: text}], " +
		"envFrom: [{secretRef: {name: redis}}], volumes: [{name: tls, secret: {secretName: tls}}], volumeMounts: [{name: tls, mountPath: /etc/tls}]}")
	if err != nil {
		t.Fatal(err)
	}
	pods := 0
	for _, o := range objects {
		if o.pod == nil {
			continue
		}
		pods++
		given := map[string]string{}
		for _, e := range o.pod.Spec.Containers[0].Env {
			given[e.Name] = e.Value
		}
		if given["BALER_DATABASE_TLS_CA"] != "/etc/tls/ca.crt" || given["BALER_LOG_FORMAT"] != "text" {
			t.Errorf("%s has the variables %v", o.meta.Name, given)
		}
		if len(o.pod.Spec.Containers[0].EnvFrom) != 1 {
			t.Errorf("%s lacks the variables of the Secret", o.meta.Name)
		}
	}
	if pods != 3 {
		t.Errorf("%d kinds of pods, not 3", pods)
	}
}

// checkPod checks what every pod must have: few rights, bounded memory, volumes that
// exist, and variables that Baler knows.
func checkPod(t *testing.T, name string, pod *core.PodTemplateSpec) {
	t.Helper()
	spec := pod.Spec
	if s := spec.SecurityContext; s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.SeccompProfile == nil {
		t.Errorf("%s may run as root, or without seccomp", name)
	}
	if a := spec.AutomountServiceAccountToken; a == nil || *a {
		t.Errorf("%s has a token of the cluster, which it does not need", name)
	}
	volumes := map[string]bool{}
	for _, v := range spec.Volumes {
		if volumes[v.Name] {
			t.Errorf("%s has two volumes %s", name, v.Name)
		}
		volumes[v.Name] = true
	}
	for _, c := range spec.Containers {
		s := c.SecurityContext
		if s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem ||
			s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || len(s.Capabilities.Drop) != 1 {
			t.Errorf("%s: the container %s has rights that it does not need", name, c.Name)
		}
		if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
			t.Errorf("%s: the container %s has no limit of memory or no request", name, c.Name)
		}
		for _, m := range c.VolumeMounts {
			if !volumes[m.Name] {
				t.Errorf("%s: no volume %s", name, m.Name)
			}
		}
		given := map[string]bool{}
		for _, e := range c.Env {
			if given[e.Name] {
				t.Errorf("%s sets %s twice", name, e.Name)
			}
			given[e.Name] = true
			if strings.HasPrefix(e.Name, "BALER_") && e.Name != "BALER_CONFIG" && !settings[e.Name] {
				t.Errorf("%s sets %s, which docs/configuration.md does not have", name, e.Name)
			}
		}
		if c.Name != "migrate" && (c.LivenessProbe == nil || c.ReadinessProbe == nil || c.StartupProbe == nil) {
			t.Errorf("%s: the container %s lacks a probe", name, c.Name)
		}
	}
	// A worker needs worker.grace (30 s), 10 s to hand back, and 10 s for a slow database.
	if g := spec.TerminationGracePeriodSeconds; pod.Labels["app.kubernetes.io/component"] == "worker" &&
		(g == nil || time.Duration(*g)*time.Second < 50*time.Second) {
		t.Errorf("%s is killed before it can hand back its batches", name)
	}
}

// checkSelects checks that everything that selects pods selects those that it is meant for.
func checkSelects(t *testing.T, o object, pods map[string]*core.PodTemplateSpec) {
	t.Helper()
	selector, target := (*meta.LabelSelector)(nil), ""
	switch v := o.typed.(type) {
	case *apps.Deployment:
		selector, target = v.Spec.Selector, v.Name
	case *policy.PodDisruptionBudget:
		selector, target = v.Spec.Selector, v.Name
	case *networking.NetworkPolicy:
		if strings.HasSuffix(v.Name, "-egress") {
			for name, pod := range pods {
				if !matches(t, &v.Spec.PodSelector, pod) {
					t.Errorf("%s does not apply to %s", v.Name, name)
				}
			}
			return
		}
		if selector, target = &v.Spec.PodSelector, v.Name; len(v.Spec.Ingress) > 0 {
			checkPorts(t, v.Name, v.Spec.Ingress[0].Ports[0].Port.StrVal, pods[target])
		}
	case *core.Service:
		selector, target = &meta.LabelSelector{MatchLabels: v.Spec.Selector}, v.Name+"-serve"
		checkPorts(t, v.Name, v.Spec.Ports[0].TargetPort.StrVal, pods[target])
	case *keda.ScaledObject:
		if pods[v.Spec.ScaleTargetRef.Name] == nil {
			t.Errorf("%s scales %s, which does not exist", v.Name, v.Spec.ScaleTargetRef.Name)
		}
		if got := v.Spec.Triggers[0].Metadata["threshold"]; got != "5000000" {
			t.Errorf("%s: threshold %s", v.Name, got)
		}
		return
	default:
		return
	}
	for name, pod := range pods {
		if matches(t, selector, pod) != (name == target) {
			t.Errorf("%s selects %s wrongly", o.meta.Name, name)
		}
	}
	if pods[target] == nil {
		t.Errorf("%s is for %s, which does not exist", o.meta.Name, target)
	}
}

func checkPorts(t *testing.T, name, port string, pod *core.PodTemplateSpec) {
	t.Helper()
	if pod == nil || pod.Spec.Containers[0].Ports[0].Name != port {
		t.Errorf("%s leads to the port %q, which its pod does not have", name, port)
	}
}

func matches(t *testing.T, selector *meta.LabelSelector, pod *core.PodTemplateSpec) bool {
	t.Helper()
	s, err := meta.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	return s.Matches(labels.Set(pod.Labels))
}

func TestWrongValuesAreRefused(t *testing.T) {
	for values, want := range map[string]string{
		"worker: {replica: 3}":                                    "replica",
		"worker: {replicas: three}":                               "replicas",
		"image: {digest: latest}":                                 "digest",
		"serve: {ingress: {enabled: true}}":                       "serve.hosts",
		"serve: {service: {type: Public}}":                        "type",
		"worker: {autoscaling: {prometheus: x}}":                  "prometheus",
		"worker: {autoscaling: {enabled: true, minReplicas: 30}}": "maxReplicas",
		"{serve: {enabled: false}, worker: {autoscaling: {enabled: true, minReplicas: 0}}}": "minReplicas",
		"{serve: {replicas: 0}, worker: {autoscaling: {enabled: true, minReplicas: 0}}}":    "minReplicas",
	} {
		if _, err := render(values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", values, err)
		}
	}
}

func TestLint(t *testing.T) {
	for _, m := range lint.AllWithKubeVersion(chartFolder, nil, "baler", version()).Messages {
		if m.Severity > support.InfoSev {
			t.Error(m)
		}
	}
}

func version() *chartutil.KubeVersion {
	return &chartutil.KubeVersion{Version: "v1.34.0", Major: "1", Minor: "34"}
}

// render renders the chart and decodes each object strictly: an unknown field is an error.
func render(values string) ([]object, error) {
	c, err := loader.Load(chartFolder)
	if err != nil {
		return nil, err
	}
	given, err := chartutil.ReadValues([]byte(values))
	if err != nil {
		return nil, err
	}
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.KubeVersion = *version()
	release := chartutil.ReleaseOptions{Name: "x", Namespace: "archive", Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(c, given, release, capabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return nil, err
	}
	var objects []object
	for name, text := range files {
		if !strings.HasSuffix(name, ".yaml") {
			continue
		}
		for _, doc := range strings.Split(text, "\n---\n") {
			if strings.TrimSpace(doc) == "" {
				continue
			}
			o, err := decode([]byte(doc))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			objects = append(objects, o)
		}
	}
	return objects, nil
}

func decode(doc []byte) (object, error) {
	var kind meta.TypeMeta
	if err := yaml.Unmarshal(doc, &kind); err != nil {
		return object{}, err
	}
	var typed any
	switch kind.APIVersion + " " + kind.Kind {
	case "v1 ConfigMap":
		typed = &core.ConfigMap{}
	case "v1 Service":
		typed = &core.Service{}
	case "apps/v1 Deployment":
		typed = &apps.Deployment{}
	case "batch/v1 Job":
		typed = &batch.Job{}
	case "policy/v1 PodDisruptionBudget":
		typed = &policy.PodDisruptionBudget{}
	case "networking.k8s.io/v1 NetworkPolicy":
		typed = &networking.NetworkPolicy{}
	case "networking.k8s.io/v1 Ingress":
		typed = &networking.Ingress{}
	case "keda.sh/v1alpha1 ScaledObject":
		typed = &keda.ScaledObject{}
	default:
		return object{}, fmt.Errorf("unknown kind %s %s", kind.APIVersion, kind.Kind)
	}
	if err := yaml.UnmarshalStrict(doc, typed); err != nil {
		return object{}, fmt.Errorf("%s: %w", kind.Kind, err)
	}
	o := object{typed: typed}
	if m, ok := typed.(meta.Object); ok {
		o.meta = meta.ObjectMeta{Name: m.GetName()}
	}
	switch v := typed.(type) {
	case *apps.Deployment:
		o.pod = &v.Spec.Template
	case *batch.Job:
		o.pod = &v.Spec.Template
	}
	return o, nil
}

// settings has the variables of docs/configuration.md.
var settings = func() map[string]bool {
	text, err := os.ReadFile("../../../docs/configuration.md")
	if err != nil {
		panic(err)
	}
	names := map[string]bool{}
	for _, name := range regexp.MustCompile("`(BALER_[A-Z_]+)`").FindAllStringSubmatch(string(text), -1) {
		names[name[1]] = true
	}
	return names
}()
