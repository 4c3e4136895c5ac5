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

/** Opens a page of the built site, from its files. */
async function open(browser, path, width, scheme) {
  const page = await browser.newPage()
  await page.setViewport({ width, height: 900, deviceScaleFactor: 1 })
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
  await page.setRequestInterception(true)
  page.on('request', request => {
    const asked = join(SITE, file(decodeURI(new URL(request.url()).pathname)))
    if (request.url().startsWith('data:')) {
      request.continue()
    } else if (existsSync(asked)) {
      request.respond({ body: readFileSync(asked), contentType: TYPES[extname(asked)] ?? 'application/octet-stream' })
    } else {
      request.respond({ status: 404 })
    }
  })
  page.on('pageerror', error => faults.push(`${path}: ${error.message}`))
  await page.goto(ADDRESS + path, { waitUntil: 'networkidle0' })
  return page
}

/** A phone scrolls a wide table by itself, but not the whole page. */
async function checkWidth(browser) {
  for (const path of pages.keys()) {
    const page = await open(browser, path, 390, 'light')
    const width = await page.evaluate(() => document.documentElement.scrollWidth)
    if (width > 390) {
      faults.push(`${path}: ${width} pixels wide on a phone`)
    }
    await page.close()
  }
}

async function checkSearch(browser, path, words, title, width) {
  const page = await open(browser, path, width, 'light')
  await page.click('.DocSearch-Button')
  await (await page.waitForSelector('.search-input')).type(words)
  const found = await page
    .waitForFunction(
      wanted => [...document.querySelectorAll('.result')].some(result => result.innerText.includes(wanted)),
      { timeout: 10_000 },
      title,
    )
    .catch(() => undefined)
  if (!found) {
    faults.push(`${path}: a search for ${words} does not find ${title}`)
  }
  await page.screenshot({ path: join(SCREENSHOTS, `search${path.replaceAll('/', '-')}${width}.png`) })
  await page.close()
}

async function takeScreenshots(browser) {
  const shown = {
    home: '/',
    guide: '/guide.html',
    comparison: '/comparison.html',
    performance: '/performance.html',
    redis: '/redis.html',
    'zh-home': '/zh-CN/',
    'zh-guide': '/zh-CN/guide.html',
  }
  for (const [name, path] of Object.entries(shown)) {
    for (const width of [1280, 390]) {
      for (const scheme of ['light', 'dark']) {
        const page = await open(browser, path, width, scheme)
        await page.evaluate(() => document.querySelectorAll('img').forEach(image => (image.loading = 'eager')))
        await page.waitForNetworkIdle()
        const height = Math.min(6000, await page.evaluate(() => document.documentElement.scrollHeight))
        await page.screenshot({
          path: join(SCREENSHOTS, `${name}-${width}-${scheme}.png`),
          captureBeyondViewport: true,
          clip: { x: 0, y: 0, width, height },
        })
        await page.close()
      }
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
  await checkWidth(browser)
  await checkSearch(browser, '/', 'fencing token', 'Fencing tokens', 1280)
  await checkSearch(browser, '/zh-CN/', '主从切换', '主从切换', 390)
  await takeScreenshots(browser)
} finally {
  await browser.close()
}
faults.forEach(fault => console.error(fault))
console.log(`${pages.size} pages, ${faults.length} faults, screenshots in ${SCREENSHOTS}`)
process.exit(faults.length ? 1 : 0)
