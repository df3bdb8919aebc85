// Validates custom resources, a JSON array on standard input, by the schemas of their operators.
// Prints a line for each fault. Run in the folder with node_modules.
import { pathToFileURL } from "node:url";
import { text } from "node:stream/consumers";

// By their files: the packages' own names for them differ by version.
const load = (path) => import(pathToFileURL(`${process.cwd()}/node_modules/@kubernetes-models/${path}.js`));
const kinds = {
  ...(await load("keda/keda.sh/v1alpha1/ScaledObject")),
  ...(await load("prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor")),
  ...(await load("prometheus-operator/monitoring.coreos.com/v1/PrometheusRule")),
};

for (const resource of JSON.parse(await text(process.stdin))) {
  const { [resource.kind]: Kind } = kinds;
  if (!Kind) {
    console.log(`${resource.kind}: expected one of ${Object.keys(kinds).join(", ")}`);
    continue;
  }
  if (resource.apiVersion !== Kind.apiVersion) {
    console.log(`${resource.kind}: expected ${Kind.apiVersion}, found ${resource.apiVersion}`);
  }
  try {
    new Kind(resource).validate();
  } catch (error) {
    console.log(`${resource.kind}: ${error.message}`);
  }
}
