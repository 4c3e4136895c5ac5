// Checks the built site in target/site, and takes screenshots. Usage: npm run check [SCREENSHOTS]
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import puppeteer from 'puppeteer-core'
import { chinese, english } from './.vitepress/navigation.mjs'

const SITE = resolve(import.meta.dirname, '../target/site')
const SCREENSHOTS = resolve(process.argv[2] ?? join(SITE, '../site-screenshots'))
const ADDRESS = 'http://site.invalid'
const TYPES = { '.css': 'text/css', '.html': 'text/html', '.js': 'text/javascript', '.svg': 'image/svg+xml' }

const faults = []
const files = readdirSync(SITE, { recursive: true }).filter(file => file.endsWith('.html') && file !== '404.html')
const pages = new Map(files.map(file => [`/${file}`, readFileSync(join(SITE, file), 'utf8')]))

const file = path => (path.endsWith('/') ? `${path}index.html` : path)

const attributes = (html, name) =>
  [...html.matchAll(new RegExp(`\\s${name}="([^"]*)"`, 'g'))].map(found => found[1].replaceAll('&amp;', '&'))

function checkLinks() {
  for (const [page, html] of pages) {
    for (const link of [...attributes(html, 'href'), ...attributes(html, 'src')]) {
      const url = new URL(link, ADDRESS + page)
      if (url.origin === ADDRESS) {
        const target = file(decodeURI(url.pathname))
        const anchor = decodeURIComponent(url.hash.slice(1))
        if (!existsSync(join(SITE, target))) {
          faults.push(`${page}: dead link ${link}`)
        } else if (anchor && pages.has(target) && !attributes(pages.get(target), 'id').includes(anchor)) {
          faults.push(`${page}: no such heading ${link}`)
        }
      }
    }
  }
}

function checkSidebars() {
  const links = [...english.sidebar, ...chinese.sidebar].flatMap(group => group.items.map(item => item.link))
  const shown = new Set(links.map(link => (link.endsWith('/') ? `${link}index.html` : `${link}.html`)))
  for (const page of pages.keys()) {
    if (!shown.has(page)) {
      faults.push(`${page}: no place in the sidebars of navigation.mjs`)
    }
  }
}

/** Opens a tab that gets pages of the built site from their files. */
async function openTab(browser, width, scheme) {
  const tab = await browser.newPage()
  await tab.setViewport({ width, height: 900 })
  await tab.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
  await tab.setRequestInterception(true)
  tab.on('request', request => {
    const asked = join(SITE, file(decodeURI(new URL(request.url()).pathname)))
    if (request.url().startsWith('data:')) {
      request.continue()
    } else if (existsSync(asked)) {
      request.respond({ body: readFileSync(asked), contentType: TYPES[extname(asked)] ?? 'application/octet-stream' })
    } else {
      request.respond({ status: 404 })
    }
  })
  tab.on('pageerror', error => faults.push(`${tab.url()}: ${error.message}`))
  return tab
}

/** A phone scrolls a wide table by itself, but not the whole page. */
async function checkWidths(browser) {
  const tab = await openTab(browser, 390, 'light')
  for (const path of pages.keys()) {
    await tab.goto(ADDRESS + path)
    const width = await tab.evaluate(() => document.documentElement.scrollWidth)
    if (width > 390) {
      faults.push(`${path}: ${width} pixels wide on a phone`)
    }
  }
  await tab.close()
}

async function checkSearch(browser, path, width, words, title) {
  const tab = await openTab(browser, width, 'light')
  await tab.goto(ADDRESS + path, { waitUntil: 'networkidle0' })
  await tab.click('.DocSearch-Button')
  await (await tab.waitForSelector('.search-input')).type(words)
  const isFound = wanted => [...document.querySelectorAll('.result')].some(result => result.innerText.includes(wanted))
  await tab
    .waitForFunction(isFound, { timeout: 10_000 }, title)
    .catch(() => faults.push(`${path}: a search for ${words} does not find ${title}`))
  await tab.screenshot({ path: join(SCREENSHOTS, `search${path.replaceAll('/', '-')}${width}.png`) })
  await tab.close()
}

const SHOWN = {
  home: '/',
  guide: '/guide.html',
  comparison: '/comparison.html',
  performance: '/performance.html',
  redis: '/redis.html',
  'zh-home': '/zh-CN/',
  'zh-guide': '/zh-CN/guide.html',
}

async function takeScreenshots(browser) {
  for (const width of [1280, 390]) {
    for (const scheme of ['light', 'dark']) {
      const tab = await openTab(browser, width, scheme)
      for (const [name, path] of Object.entries(SHOWN)) {
        await tab.goto(ADDRESS + path)
        await tab.evaluate(() => document.querySelectorAll('img').forEach(image => (image.loading = 'eager')))
        await tab.waitForNetworkIdle()
        const height = Math.min(6000, await tab.evaluate(() => document.documentElement.scrollHeight))
        await tab.screenshot({
          path: join(SCREENSHOTS, `${name}-${width}-${scheme}.png`),
          captureBeyondViewport: true,
          clip: { x: 0, y: 0, width, height },
        })
      }
      await tab.close()
    }
  }
}

checkLinks()
checkSidebars()
mkdirSync(SCREENSHOTS, { recursive: true })
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
})
try {
  await checkWidths(browser)
  await checkSearch(browser, '/', 1280, 'fencing token', 'Fencing tokens')
  await checkSearch(browser, '/zh-CN/', 390, '主从切换', '主从切换')
  await checkSearch(browser, '/zh-CN/', 1280, '快速体验', '快速体验')
  await takeScreenshots(browser)
} finally {
  await browser.close()
}
faults.forEach(fault => console.error(fault))
console.log(`${pages.size} pages, ${faults.length} faults, screenshots in ${SCREENSHOTS}`)
process.exit(faults.length ? 1 : 0)
