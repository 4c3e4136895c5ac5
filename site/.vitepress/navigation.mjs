// The pages in the order of the sidebars. check.mjs fails if a page has no place here.

const group = (text, pages, collapsed) => ({
  text,
  collapsed,
  items: Object.entries(pages).map(([link, title]) => ({ text: title, link })),
})

export const english = {
  nav: [
    { text: 'Guide', link: '/guide' },
    { text: 'Redis or ZooKeeper?', link: '/redis-or-zookeeper' },
    { text: 'Performance', link: '/performance' },
    { text: 'Comparison', link: '/comparison' },
  ],
  sidebar: [
    group('Use', {
      '/': 'Overview',
      '/guide': 'Guide',
      '/fencing': 'Fencing',
      '/spring': 'Spring',
      '/spring-boot': 'Spring Boot',
      '/command-line': 'Command line',
      '/kubernetes': 'Kubernetes',
      '/operations': 'Operations',
    }),
    group('Choose', {
      '/redis-or-zookeeper': 'Redis or ZooKeeper?',
      '/performance': 'Performance',
      '/features': 'Features',
      '/servers': 'Tested servers',
      '/comparison': 'Comparison',
      '/comparison/redisson': 'Redisson',
      '/comparison/curator': 'Curator',
      '/comparison/shedlock': 'ShedLock',
      '/comparison/lock4j': 'Lock4j',
      '/comparison/klock': 'klock',
      '/comparison/spring-integration': 'Spring Integration',
    }),
    group('Move from another library', {
      '/moving/from-redisson': 'From Redisson',
      '/moving/from-redisson-spring-boot-starter': 'From its Spring Boot starter',
      '/moving/from-curator': 'From Curator',
      '/moving/from-shedlock': 'From ShedLock',
      '/moving/from-lock4j': 'From Lock4j',
      '/moving/from-klock': 'From klock',
      '/moving/from-spring-integration': 'From Spring Integration',
    }),
    group('What is promised', {
      '/guarantees': 'Guarantees',
      '/promises': 'Promises',
      '/track-record': 'Track record',
      '/simulator': 'Simulator',
    }),
    group('How it works', {
      '/engine': 'Engine',
      '/redis': 'Redis',
      '/zookeeper': 'ZooKeeper',
      '/models': 'Models',
    }),
    group('Backends of your own', {
      '/writing-a-backend': 'Writing a backend',
      '/contract': 'Contract',
      '/contract-tested': 'The contract is tested',
    }),
    group('Project', {
      '/names': 'Public names',
      '/changelog': 'Changelog',
      '/packaging': 'Packaging',
      '/releasing': 'Releasing',
      '/contributing': 'Contributing',
      '/security': 'Security',
    }),
  ],
}

export const chinese = {
  nav: [
    { text: '使用指南', link: '/zh-CN/guide' },
    { text: '常见问题', link: '/zh-CN/faq' },
    { text: '性能（英文）', link: '/performance' },
    { text: '对比（英文）', link: '/comparison' },
  ],
  sidebar: [
    group('使用', {
      '/zh-CN/': '概览',
      '/zh-CN/guide': '使用指南',
      '/zh-CN/faq': '常见问题',
      '/zh-CN/command-line': '命令行',
    }),
    group('迁移', {
      '/zh-CN/moving/from-redisson-spring-boot-starter': '从 Redisson 的 starter',
      '/zh-CN/moving/from-lock4j': '从 Lock4j',
      '/zh-CN/moving/from-klock': '从 klock',
    }),
    group('英文页面', {
      '/spring': 'Spring',
      '/spring-boot': 'Spring Boot',
      '/operations': '运维',
      '/redis-or-zookeeper': 'Redis 还是 ZooKeeper',
      '/performance': '性能',
      '/comparison': '与其他库的对比',
      '/servers': '测试过的服务端',
      '/guarantees': '保证',
      '/redis': 'Redis 协议',
      '/zookeeper': 'ZooKeeper 协议',
      '/moving/from-redisson': '从 Redisson 迁移',
      '/moving/from-curator': '从 Curator 迁移',
    }),
  ],
  outline: { level: [2, 3], label: '本页目录' },
  docFooter: { prev: '上一页', next: '下一页' },
  darkModeSwitchLabel: '外观',
  lightModeSwitchTitle: '切换到浅色',
  darkModeSwitchTitle: '切换到深色',
  sidebarMenuLabel: '目录',
  returnToTopLabel: '回到顶部',
  langMenuLabel: '切换语言',
  skipToContentLabel: '跳到正文',
  notFound: {
    title: '没有这个页面',
    quote: '地址可能有误，或者页面已经移走。',
    linkLabel: '回到首页',
    linkText: '回到首页',
  },
}
