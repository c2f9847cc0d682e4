// Drops every address from package-lock.json: what is installed is named by version and checksum
// alone, and comes from whatever registry the machine is set up for. Run by `npm run lock`.

import { readFileSync, writeFileSync } from 'node:fs'

const path = new URL('package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(path, 'utf8'))

for (const entry of Object.values(lock.packages)) {
  delete entry.funding
  delete entry.resolved
}

writeFileSync(path, JSON.stringify(lock, null, 2) + '\n')
