// Which files of the repository are pages of the site, and where their links lead.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '../..')

const BESIDE_DOCS = {
  'README.md': 'index.md',
  'README.zh-CN.md': 'zh-CN/index.md',
  'CHANGELOG.md': 'changelog.md',
  'CONTRIBUTING.md': 'contributing.md',
  'SECURITY.md': 'security.md',
}

/** The place of a file on the site. Undefined if the file is no page. */
function place(file) {
  return BESIDE_DOCS[file] ?? (/^docs\/.*\.md$/.test(file) ? file.slice('docs/'.length) : undefined)
}

/** All pages: their files, and their places. */
export function pages() {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true }).map(file => `docs/${file}`)
  const files = [...Object.keys(BESIDE_DOCS), ...docs]
  return Object.fromEntries(files.filter(place).map(file => [file, place(file)]))
}

/** Where people read the sources: the address in the POM. */
function repository() {
  const found = /<scm>[^]*?<url>(.*?)<\/url>/.exec(readFileSync(join(ROOT, 'pom.xml'), 'utf8'))
  return found ? found[1] : 'https://github.com/distlock/distlock'
}

const heading = file => /^# (.*)$/m.exec(readFileSync(join(ROOT, file), 'utf8'))[1]

/**
 * A plugin of markdown-it: links between files lead to pages of the site, or else to the repository. If the text of a
 * link is the name of the file, it becomes the heading of the page.
 */
export function linksOfTheSite(md) {
  const sources = `${repository()}/blob/main`
  md.core.ruler.push('links-of-the-site', state => {
    const page = state.env.realPath ?? state.env.path
    const tokens = state.tokens.flatMap(block => block.children ?? [])
    tokens.forEach((token, i) => {
      const link = token.type === 'link_open' ? token.attrGet('href') : ''
      if (link && !/^(\w+:|#)/.test(link)) {
        const [path, anchor = ''] = link.split(/(?=#)/)
        const file = relative(ROOT, resolve(dirname(page), decodeURI(path)))
        if (!existsSync(join(ROOT, file))) {
          throw new Error(`${page} links to ${link}, which does not exist`)
        }
        token.attrSet('href', (place(file) ? `/${place(file)}` : `${sources}/${file}`) + anchor)
        const text = tokens[i + 1]
        if (/\.md$/.test(text.content) && file.endsWith(text.content)) {
          text.content = heading(file)
        }
      }
    })
  })
}
