// The documentation site. Its pages are README and docs of the repository, as they are.
import { join } from 'node:path'
import { defineConfig } from 'vitepress'
import { chinese, english } from './navigation.mjs'
import { linksOfTheSite, pages, ROOT } from './pages.mjs'
import { readmeInChineseSearch, search } from './search.mjs'

// The same anchors as on a forge.
const slugify = heading =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

// The pages are not beside node_modules, so the import of Vue in a page is resolved by what the page becomes.
const vueOfTheSite = {
  name: 'vue-of-the-site',
  enforce: 'pre',
  resolveId: (id, importer, options) => (options.ssr && /^vue(\/|$)/.test(id) ? { id, external: true } : null),
}

export default defineConfig({
  title: 'distlock',
  srcDir: '..',
  srcExclude: ['{.*,integrations,lock-*,site,target,testing}/**', 'CODE_OF_CONDUCT.md'],
  outDir: '../target/site',
  cacheDir: '../target/site-cache',
  rewrites: pages(),
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: '/favicon.svg' }]],
  locales: {
    root: {
      label: 'English',
      lang: 'en',
      description: 'Distributed locks for Java, backed by Redis or ZooKeeper',
      themeConfig: english,
    },
    'zh-CN': {
      label: '简体中文',
      lang: 'zh-CN',
      description: 'Java 分布式锁，存储后端用 Redis 或 ZooKeeper',
      themeConfig: chinese,
    },
  },
  themeConfig: {
    search,
    outline: [2, 3],
    // Most pages have no translation, so the menu of languages leads to the home page. Translations link to their
    // originals, and the originals to them.
    i18nRouting: false,
  },
  vite: {
    publicDir: join(ROOT, 'site/public'),
    plugins: [vueOfTheSite, readmeInChineseSearch],
    // The index of the search is larger than Vite expects, and is loaded by the first search.
    build: { chunkSizeWarningLimit: 3000 },
    server: { watch: { ignored: ['**/target/**'] } },
  },
  markdown: {
    linkify: false,
    attrs: { disable: true },
    anchor: { slugify },
    image: { lazyLoading: true },
    config: linksOfTheSite,
  },
})
