{{- define "baler.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end -}}
{{- end }}

{{- define "baler.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end -}}
{{- end }}

{{- define "baler.selector" -}}
app.kubernetes.io/name: baler
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "baler.labels" -}}
{{ include "baler.selector" . }}
app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | trunc 63 | trimAll "-_." | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* What all pods have in common, except their containers. */}}
{{- define "baler.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ int64 .Values.userID }}
  runAsGroup: {{ int64 .Values.groupID }}
  fsGroup: {{ int64 .Values.groupID }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The image and the rights of all containers. */}}
{{- define "baler.container" -}}
image: {{ include "baler.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- with .Values.envFrom }}
envFrom: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The environment of workers and serve. */}}
{{- define "baler.env" -}}
- name: BALER_CONFIG
  value: /etc/baler/baler.yaml
- name: BALER_DATABASE_AUTO_MIGRATE
  value: "false"
{{- $given := dict }}
{{- range .Values.env }}
{{- $_ := set $given .name true }}
{{- end }}
{{- if not $given.BALER_LOG_FORMAT }}
- name: BALER_LOG_FORMAT
  value: json
{{- end }}
{{- with .Values.roots }}
- name: BALER_ROOTS
  value: {{ join ":" . | quote }}
{{- end }}
{{- with .Values.outputs }}
- name: BALER_OUTPUTS
  value: {{ join ":" . | quote }}
{{- end }}
{{- if .Values.recipes }}
- name: BALER_WORKER_RECIPES
  value: /etc/baler-recipes
{{- end }}
- name: BALER_REDIS_URL
  valueFrom:
    secretKeyRef: {name: {{ quote .Values.secretName }}, key: redis-url}
- name: BALER_DATABASE_URL
  valueFrom:
    secretKeyRef: {name: {{ quote .Values.secretName }}, key: database-url}
{{- with .Values.env }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "baler.volumeMounts" -}}
- {name: config, mountPath: /etc/baler, readOnly: true}
{{- if .Values.recipes }}
- {name: recipes, mountPath: /etc/baler-recipes, readOnly: true}
{{- end }}
- {name: tmp, mountPath: /tmp}
{{- with .Values.volumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "baler.volumes" -}}
- name: config
  configMap: {name: {{ include "baler.name" . }}}
{{- if .Values.recipes }}
- name: recipes
  configMap: {name: {{ include "baler.name" . }}-recipes}
{{- end }}
- name: tmp
  emptyDir: {sizeLimit: {{ quote .Values.tmpSize }}}
{{- with .Values.volumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Restarts the pods when their configuration changes. */}}
{{- define "baler.annotations" -}}
checksum/config: {{ toJson (list .Values.config .Values.recipes) | sha256sum }}
{{- with .Values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end }}
