// Draws the diagrams of docs/diagrams, in English and in Chinese. Usage: npm run diagrams
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

const TO = join(import.meta.dirname, '../docs/diagrams')

// Colors that suit light and dark pages. The text has the color of the page's own text.
const STYLE = `
svg{color:#6e7781;font:14px ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"PingFang SC","Microsoft YaHei",\
"Noto Sans CJK SC",sans-serif}
@media(prefers-color-scheme:light){svg{color:#1f2328}}
@media(prefers-color-scheme:dark){svg{color:#e6edf3}}
text{fill:currentColor;text-anchor:middle}
.strong{font-weight:600}
.line{stroke:currentColor;stroke-width:1.5;fill:none}
.life{stroke:currentColor;stroke-opacity:.35;stroke-dasharray:4 4}
.dashed{stroke-dasharray:6 4}
.head{fill:currentColor}
.box{fill:#8c959f;fill-opacity:.18;stroke:currentColor;stroke-opacity:.5}
.good{fill:#2da44e;fill-opacity:.25;stroke:#2da44e}
.bad{fill:#e5534b;fill-opacity:.25;stroke:#e5534b}
`

const escape = text => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

const label = (x, y, text, style = '') =>
  `<text x="${x}" y="${y}"${style && ` class="${style}"`}>${escape(text)}</text>`

const head = (x, y, direction) =>
  `<path class="head" d="M${x} ${y}l${-9 * direction} -5v10z"/>`

const box = (x, y, width, height, style) =>
  `<rect class="${style}" x="${x - width / 2}" y="${y}" width="${width}" height="${height}" rx="5"/>`

function save(name, width, height, title, parts) {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" \
viewBox="0 0 ${width} ${height}" role="img"><title>${escape(title)}</title><style>${STYLE}</style>
${parts.join('\n')}
</svg>
`
  writeFileSync(join(TO, `${name}.svg`), svg)
}

/** Rough, and rather too wide: Chinese characters are as wide as high. */
const widthOf = text => [...text].reduce((sum, c) => sum + (c > '\u2e80' ? 14 : 7.4), 0)

/** A diagram of messages between actors. A step draws itself at a height, and returns the height of the next one. */
class Messages {
  constructor(width, actors) {
    this.width = width
    this.actors = actors
    this.gap = width / actors.length
    this.y = 50
    this.parts = []
    this.lives = actors.map((_, i) => `M${this.x(i)} 36`)
  }

  x(actor) {
    return this.gap * (actor + 0.5)
  }

  /** A message. Its text is beside its sender. If it has several receivers, its line goes through all of them. */
  send(from, to, text, style = '') {
    const receivers = [to].flat()
    const end = this.x(receivers.at(-1))
    const direction = Math.sign(end - this.x(from))
    this.parts.push(
      label(this.x(from) + (direction * this.gap) / 2, this.y + 14, text),
      `<path class="line ${style}" d="M${this.x(from)} ${this.y + 22}H${end}"/>`,
      ...receivers.map(receiver => head(this.x(receiver), this.y + 22, direction)),
    )
    this.y += 36
    return this
  }

  /** What an actor does, or what happens to it. Several in one step are beside each other. */
  note(...notes) {
    const lines = Math.max(...notes.map(([, , ...texts]) => texts.length))
    for (const [actor, style, ...texts] of notes) {
      const width = Math.max(...texts.map(widthOf)) + 16
      const x = Math.min(Math.max(this.x(actor), width / 2 + 2), this.width - width / 2 - 2)
      this.parts.push(
        box(x, this.y + 4, width, texts.length * 18 + 8, style),
        ...texts.map((text, i) => label(x, this.y + 21 + i * 18, text)),
      )
      // The line of the actor's life has a gap, because a box is translucent.
      this.lives[actor] += `V${this.y + 4}M${this.x(actor)} ${this.y + 12 + texts.length * 18}`
    }
    this.y += lines * 18 + 20
    return this
  }

  save(name, title) {
    const lives = this.lives.map(life => `<path class="life" d="${life}V${this.y}"/>`)
    const names = this.actors.map((actor, i) => label(this.x(i), 24, actor, 'strong'))
    save(name, this.width, this.y + 10, title, [...lives, ...names, ...this.parts])
  }
}

function handoff(name, t) {
  new Messages(600, [t('Client A', '客户端 A'), 'Redis', t('Client B', '客户端 B')])
    .send(0, 1, t('acquire', '获取'))
    .send(1, 0, t('granted, token 100', '授予，令牌 100'))
    .note([0, 'good', t('holds the lock', '持锁')])
    .send(2, 1, t('acquire', '获取'))
    .note([1, 'box', t('queue: B', '队列：B')])
    .send(1, 2, t('busy', '已被占用'), 'dashed')
    .note([0, 'good', t('the work is done', '业务做完')], [2, 'box', t('waits, sends heartbeats', '等待，发送心跳')])
    .send(0, 1, t('release', '释放'))
    .note([1, 'box', t('one script ends A’s hold', '同一个脚本：结束 A 的持锁'), t('and makes B the holder', '并让 B 成为持有者')])
    .send(1, 2, t('message: token 101', '消息：令牌 101'))
    .send(1, 0, t('released', '已释放'), 'dashed')
    .note([2, 'good', t('holds the lock', '持锁')])
    .save(name, t('A release hands the lock to the first waiter', '释放把锁移交给第一个等待者'))
}

function fencing(name, t) {
  new Messages(640, [
    t('Client A', '客户端 A'),
    t('Lock', '锁'),
    t('Client B', '客户端 B'),
    t('Database', '数据库'),
  ])
    .send(0, 1, t('acquire', '获取'))
    .send(1, 0, t('token 33', '令牌 33'), 'dashed')
    .note([0, 'bad', t('pauses (GC, VM)', '停顿（GC、虚拟机）')], [1, 'box', t('A’s lease ends', 'A 的租约到期')])
    .send(2, 1, t('acquire', '获取'))
    .send(1, 2, t('token 34', '令牌 34'), 'dashed')
    .send(2, 3, t('write, token 34', '写入，令牌 34'))
    .note([3, 'good', t('34 is the greatest', '34 是最大的：'), t('so far: writes', '写入')])
    .note([0, 'box', t('continues', '恢复运行')])
    .send(0, 3, t('write, token 33', '写入，令牌 33'))
    .note([3, 'bad', t('33 < 34: refuses', '33 < 34：拒绝')])
    .save(name, t('The receiver refuses a write with an older token', '接收方拒绝令牌较旧的写入'))
}

function quorum(name, t) {
  const server = i => t(`Server ${i}`, `服务器 ${i}`)
  new Messages(680, [t('Client A', '客户端 A'), server(1), server(2), server(3), t('Client B', '客户端 B')])
    .note([3, 'bad', t('is down', '宕机')])
    .send(0, [1, 2], t('vote', '投票请求'))
    .send(1, 0, t('granted', '同意'), 'dashed')
    .send(2, 0, t('granted', '同意'), 'dashed')
    .note([0, 'good', t('2 of 3: holds', '3 票得 2：持锁')])
    .send(4, [2, 1], t('vote', '投票请求'))
    .send(2, 4, t('busy', '已被占用'), 'dashed')
    .send(1, 4, t('busy', '已被占用'), 'dashed')
    .note([4, 'box', t('no majority:', '没有多数派：'), t('asks again later', '稍后再问')])
    .save(name, t('A majority of three servers grants the lock', '三台服务器中的多数派授予锁'))
}

function watches(name, t) {
  const parts = []
  const nodes = (y, title, styles, states) => {
    parts.push(label(300, y, title, 'strong'))
    ;['07', '08', '11'].forEach((number, i) => {
      const x = 96 + i * 204
      parts.push(
        box(x, y + 16, 152, 58, styles[i]),
        label(x, y + 40, `…-lock-00000000${number}`),
        label(x, y + 62, states[i]),
      )
    })
  }
  const arrow = (from, to, y, text, style = '') => {
    const direction = Math.sign(to - from)
    parts.push(
      `<path class="line ${style}" d="M${from} ${y}H${to}"/>`,
      head(to, y, direction),
      label((from + to) / 2, y - 8, text),
    )
  }
  const directory = '/distlock/orders%2F42'
  nodes(24, directory, ['good', 'box', 'box'], [
    t('client A: holds', '客户端 A：持锁'),
    t('client B: waits', '客户端 B：等待'),
    t('client C: waits', '客户端 C：等待'),
  ])
  arrow(224, 172, 72, t('watch', '监听'))
  arrow(428, 376, 72, t('watch', '监听'))
  nodes(
    150,
    t('Client A releases the lock: one client is notified', '客户端 A 释放锁：只通知一个客户端'),
    ['box dashed', 'good', 'box'],
    [t('deleted', '已删除'), t('client B: holds', '客户端 B：持锁'), t('client C: waits', '客户端 C：等待')],
  )
  arrow(172, 224, 198, t('event', '事件'))
  arrow(428, 376, 198, t('watch', '监听'))
  save(name, 600, 236, t('Each contender watches its predecessor', '每个竞争者监听前驱节点'), parts)
}

for (const [name, draw] of Object.entries({
  'redis-handoff': handoff,
  fencing,
  'redis-quorum': quorum,
  'zookeeper-watches': watches,
})) {
  draw(name, english => english)
  draw(`${name}.zh-CN`, (_, chinese) => chinese)
}
