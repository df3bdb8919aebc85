{{- define "voiceflow.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "voiceflow.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "voiceflow.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "voiceflow.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "voiceflow.selector" -}}
app.kubernetes.io/name: {{ include "voiceflow.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "voiceflow.labels" -}}
{{ include "voiceflow.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "voiceflow.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "voiceflow.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "voiceflow.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "voiceflow.tokensSecret" -}}
{{- if .Values.auth.tokensSecret -}}
{{- .Values.auth.tokensSecret -}}
{{- else if .Values.auth.tokens -}}
{{- include "voiceflow.fullname" . }}-tokens
{{- end -}}
{{- end -}}

{{/* What makes no sense is refused, with what would. */}}
{{- define "voiceflow.check" -}}
{{- $asks := or (include "voiceflow.tokensSecret" .) (and .Values.tls.secret .Values.tls.clientCA) -}}
{{- if and .Values.auth.open $asks -}}
{{- fail "auth.open: expected false beside auth.tokens, auth.tokensSecret or tls.clientCA, got true" -}}
{{- end -}}
{{- if not (or .Values.auth.open $asks) -}}
{{- fail "auth: expected tokens, tokensSecret, tls.secret with tls.clientCA, or open=true for a service that lets everybody in; got none" -}}
{{- end -}}
{{- if and .Values.auth.tokens .Values.auth.tokensSecret -}}
{{- fail "auth: expected tokens or tokensSecret, got both" -}}
{{- end -}}
{{- if and .Values.tls.clientCA (not .Values.tls.secret) -}}
{{- fail "tls.clientCA: expected tls.secret beside it, got none" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled .Values.keda.enabled -}}
{{- fail "autoscaling, keda: expected one of them enabled, got both" -}}
{{- end -}}
{{- end -}}

{{/* A value in TOML. Numbers of values files are floats: whole ones are written as integers. */}}
{{- define "voiceflow.tomlValue" -}}
{{- if kindIs "float64" . -}}
{{- if eq (floor .) . }}{{ printf "%.0f" . }}{{ else }}{{ . }}{{ end -}}
{{- else if kindIs "slice" . -}}
[{{ range $index, $item := . }}{{ if $index }}, {{ end }}{{ include "voiceflow.tomlValue" $item }}{{ end }}]
{{- else -}}
{{ toJson . }}
{{- end -}}
{{- end -}}

{{- define "voiceflow.tomlKeys" -}}
{{- range $key, $value := . }}
{{ $key }} = {{ include "voiceflow.tomlValue" $value }}
{{- end }}
{{- end -}}

{{/* Sections as TOML: a map is a table, a list of maps an array of tables. */}}
{{- define "voiceflow.toml" -}}
{{- range $section, $keys := . }}
{{- if kindIs "slice" $keys }}
{{- range $keys }}
[[{{ $section }}]]
{{- include "voiceflow.tomlKeys" . }}
{{ end }}
{{- else }}
[{{ $section }}]
{{- include "voiceflow.tomlKeys" $keys }}
{{ end }}
{{- end }}
{{- end -}}

{{/* The effective configuration: what the chart sets, under what the values say. */}}
{{- define "voiceflow.config" -}}
{{- $config := dict
  "listen" (dict "address" "0.0.0.0:8080" "admin" "0.0.0.0:9464" "insecure" true "connections_per_address" 4096.0)
  "limits" (dict "spool_folder" "/var/spool/voiceflow")
  "drain" (dict "delay_s" 5.0 "length_s" 90.0)
-}}
{{- if include "voiceflow.tokensSecret" . -}}
{{- $_ := set $config "auth" (dict "tokens" "/etc/voiceflow/tokens/tokens.toml") -}}
{{- end -}}
{{- if .Values.tls.secret -}}
{{- $tls := dict "certificate" "/etc/voiceflow/tls/tls.crt" "key" "/etc/voiceflow/tls/tls.key" -}}
{{- if .Values.tls.clientCA }}{{ $_ := set $tls "client_ca" "/etc/voiceflow/tls/ca.crt" }}{{ end -}}
{{- $_ := set $config "tls" $tls -}}
{{- end -}}
{{- if .Values.voices.claim -}}
{{- $_ := set $config "voices" (dict "folder" "/var/lib/voiceflow") -}}
{{- end -}}
{{- mergeOverwrite $config (deepCopy .Values.config) | toJson -}}
{{- end -}}

{{/* The drain at its longest, and time to end. */}}
{{- define "voiceflow.grace" -}}
{{- $drain := (include "voiceflow.config" . | fromJson).drain -}}
{{- addf $drain.delay_s $drain.length_s 15 | ceil | int -}}
{{- end -}}

{{- define "voiceflow.scaleDown" -}}
stabilizationWindowSeconds: {{ . }}
policies:
  - {type: Pods, value: 1, periodSeconds: 120}
{{- end -}}
