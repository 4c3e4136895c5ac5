// The search in the browser.

// Words, and in Chinese text, which has no spaces, each pair of neighboring characters. The browser gets the text of
// this function, so it refers to nothing outside.
const tokenize = text =>
  (text.match(/\p{Script=Han}+|[^\p{Script=Han}\p{Z}\p{P}\p{S}\p{C}]+/gu) ?? []).flatMap(word =>
    word.length > 1 && /\p{Script=Han}/u.test(word)
      ? Array.from({ length: word.length - 1 }, (_, i) => word.slice(i, i + 2))
      : [word],
  )

const README = 'README.zh-CN.md'
const README_BY_CHINESE_PAGES = `docs/zh-CN/../../${README}`
let site
let pages

// VitePress chooses the index by the path of the file, and would put the Chinese README into the English one. So the
// search gets another path of the same file.
export const readmeInChineseSearch = {
  name: 'readme-in-chinese-search',
  enforce: 'pre',
  apply: 'build',
  configResolved: config => {
    site = config.vitepress
  },
  load: id => {
    if (id === '/@localSearchIndex') {
      pages = site.pages
      site.pages = pages.map(page => (page === README ? README_BY_CHINESE_PAGES : page))
      site.rewrites.map[README_BY_CHINESE_PAGES] = site.rewrites.map[README]
    }
  },
  buildEnd: () => {
    site.pages = pages ?? site.pages
  },
}

export const search = {
  provider: 'local',
  options: {
    miniSearch: {
      options: { tokenize },
      searchOptions: { combineWith: 'AND', fuzzy: 0.1, prefix: true, boost: { title: 4, text: 2, titles: 1 } },
    },
    locales: {
      'zh-CN': {
        translations: {
          button: { buttonText: '搜索', buttonAriaLabel: '搜索' },
          modal: {
            displayDetails: '显示详细列表',
            resetButtonTitle: '清除',
            backButtonTitle: '关闭搜索',
            noResultsText: '没有结果：',
            footer: {
              selectText: '打开',
              selectKeyAriaLabel: '回车',
              navigateText: '移动',
              navigateUpKeyAriaLabel: '上箭头',
              navigateDownKeyAriaLabel: '下箭头',
              closeText: '关闭',
              closeKeyAriaLabel: 'Esc',
            },
          },
        },
      },
    },
  },
}
