// Validates custom resources, a JSON array on standard input, by the schemas of their operators.
// Prints a line for each fault.
//
//     NODE_PATH is not read by modules: run it from the folder with node_modules
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const require = createRequire(`${process.cwd()}/`);
const load = async (name) => import(require.resolve(name));
const kinds = {
  ...(await load("@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject.js")),
  ...(await load("@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor.js")),
  ...(await load("@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule.js")),
};

for (const resource of JSON.parse(await text(process.stdin))) {
  const { [resource.kind]: Kind } = kinds;
  if (!Kind) {
    console.log(`${resource.kind}: expected one of ${Object.keys(kinds).join(", ")}`);
    continue;
  }
  try {
    new Kind(resource).validate();
    if (resource.apiVersion !== Kind.apiVersion) {
      console.log(`${resource.kind}: expected ${Kind.apiVersion}, found ${resource.apiVersion}`);
    }
  } catch (error) {
    console.log(`${resource.kind}: ${error.message}`);
  }
}
