// Reads a credential as SAP's libraries for Node.js do and prints, as one line of JSON, what each of them found.
// node read.js one-level <SERVICE_BINDING_ROOT> <label> [token]   every library; with `token` @sap/xssec fetches one
// node read.js two-level <root> <label>                           @sap/xsenv, the only one with a root to choose
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');

const [layout, root, label, token] = process.argv.slice(2);

/** What a library found, or its complaint. Whatever it logs is not ours to print. */
async function found(read) {
  try {
    return (await read()) ?? null;
  } catch (error) {
    return { error: error.message };
  }
}

function xsenv() {
  const { filterServices } = require('@sap/xsenv');
  const services = layout === 'two-level' ? filterServices(root, { label }) : filterServices({ label });
  return services.map(service => service.credentials);
}

function cloudSdk() {
  const { getServiceBinding } = require('@sap-cloud-sdk/connectivity');
  const service = getServiceBinding(label);
  return service ? [service.credentials] : [];
}

/** CAP reads the bindings of what an application's package.json requires. */
function cap() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'readers-'));
  try {
    const requires = { probe: { vcap: { label } } };
    fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'probe', cds: { requires } }));
    const credentials = require('@sap/cds').env.for('cds', folder).requires.probe.credentials;
    return credentials ? [credentials] : [];
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/**
 * Whether the credential that @sap/xsenv found logs on. @sap/xssec asks at the root of a host, as XSUAA has it; the simulator's
 * UAA lives below a path, so there is a host of its own before it.
 */
async function xssec() {
  const { XsuaaService } = require('@sap/xssec');
  const [credentials] = xsenv();
  const server = http.createServer((request, response) => {
    const { method, headers } = request;
    request.pipe(http.request(credentials.url + request.url, { method, headers }, answer => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    }));
  });
  await new Promise(listening => server.listen(0, '127.0.0.1', listening));
  try {
    const url = `http://127.0.0.1:${server.address().port}`;
    const answer = await new XsuaaService({ ...credentials, url }).fetchClientCredentialsToken();
    return Boolean(answer.access_token);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function main() {
  const report = {};
  if (layout === 'one-level') process.env.SERVICE_BINDING_ROOT = root;
  report.xsenv = await found(xsenv);
  if (layout === 'one-level') {
    report.cloudSdk = await found(cloudSdk);
    report.cap = await found(cap);
  }
  if (token) report.xssec = await found(xssec);
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

main();
