// Calls Service B, and shows what becomes of each call. The words are in page.html.

const $ = id => document.getElementById(id)
const span = 120_000 // What the strip shows, in milliseconds.
const mostInFlight = 4 // A browser has six connections to a host.
const deadline = Number(document.documentElement.dataset.deadline)

// The outcomes: the items of the list. Each has a shape around (0, 0).
const shapes = {
  ok: 'M-3,0a3,3 0 1,0 6,0a3,3 0 1,0 -6,0', refused: 'M-4,-4L4,4M4,-4L-4,4',
  timeout: 'M0,-5L5,4H-5Z', reset: 'M0,-5L5,0L0,5L-5,0Z', dns: 'M-4,-4H4M0,-4V5',
  unreachable: 'M-5,0H5M0,-5V5', bad_status: 'M-4,-4H4V4H-4Z', bad_answer: 'M-2,-4H2L5,0L2,4H-2L-5,0Z',
  overloaded: 'M0,5L5,-4H-5Z', gone: 'M-3,0a3,3 0 1,0 6,0a3,3 0 1,0 -6,0',
}
const outcomes = new Map([...$('outcomes').children].map(item => {
  const [word, count, meaning] = item.children
  const { id, dataset: { at = 'to-a', a } } = item
  const look = { class: id, viewBox: '-8 -8 16 16' }
  const icon = svg('svg', look)
  icon.append(svg('path', { d: shapes[id] }))
  item.prepend(icon)
  const marker = svg('marker', { ...look, id: 'm-' + id, markerWidth: 8, markerHeight: 8 })
  marker.append(icon.firstChild.cloneNode())
  $('plot').append(marker)
  return [id, { item, count, word: word.textContent, meaning: meaning.textContent, at, a }]
}))

function svg(name, attributes) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  return element
}

function text(element, value) { // A text that stays is not written again.
  if (element.textContent !== String(value)) element.textContent = value
}

function milliseconds(ms) {
  return ms < 1000 ? `${+ms.toPrecision(2)} ms` : `${+(ms / 1000).toFixed(2)} s`
}

// The scale is logarithmic, from half a millisecond to twice the deadline.
const least = Math.min(0.5, deadline / 100)
const share = ms => Math.log(ms / least) / Math.log(2 * deadline / least)
const top = ms => 100 - 100 * Math.min(0.97, Math.max(0.03, share(ms))) + '%'
function rule(ms, look, words) {
  const y = top(ms)
  const label = svg('text', { class: look, x: 4, y, dy: -4 })
  text(label, words)
  $('grid').append(svg('line', { class: look, x2: '100%', y1: y, y2: y }), label)
}
for (let ms = 1; ms < 2 * deadline; ms *= 10) rule(ms, '', milliseconds(ms))
rule(deadline, 'deadline', `deadline ${milliseconds(deadline)}`)

// The calls on the strip, in the order in which they ended; those in flight, in that of their begin.
const calls = []
const inFlight = new Set()
let state, since, selected, timer, paused

async function call() {
  const result = { outcome: 'gone', time: new Date(), began: performance.now() }
  inFlight.add(result)
  try {
    const response = await fetch('call-echo?' + new URLSearchParams({ msg: $('message').value }), {
      cache: 'no-store', signal: AbortSignal.timeout(deadline + 2000),
    })
    const { headers, status } = response
    result.id = headers.get('X-Request-Id')
    result.timing = headers.get('Server-Timing')?.match(/[\d.]+/g)
    const body = await response.text()
    const { service_a_response: echo, details } = JSON.parse(body)
    const outcome = echo ? 'ok' : details.split(':')[0]
    if (outcomes.has(outcome)) result.outcome = outcome
    result.answer = `${status} ${body}`
  } catch {
    // Nobody answers, or not as Service B does.
  }
  inFlight.delete(result)
  calls.push(result)
  const { outcome, began } = result
  result.at = performance.now()
  result.took = result.at - began
  const x = 100 * result.at / span + '%'
  result.mark = svg('line', {
    class: outcome, x1: x, x2: x, y1: top(result.took), y2: '100%', 'marker-start': `url(#m-${outcome})`,
  })
  $('marks').append(result.mark)
  text($('answer'), result.answer ?? '')
  if (state !== outcome) enter(outcome)
}

function enter(outcome) {
  const kind = name => ['ok', 'gone'].includes(name) ? name : 'unavailable'
  if (!state || kind(outcome) !== kind(state)) since = performance.now()
  outcomes.get(state)?.item.removeAttribute('aria-current')
  state = outcome
  const { item, word, at, a } = outcomes.get(outcome)
  item.setAttribute('aria-current', 'true')
  text($('state'), {
    ok: 'Service A answers', gone: 'Service B does not answer',
  }[outcome] ?? `Service A is unavailable: ${word}`)
  document.body.className = outcome
  document.title = `${outcome === 'ok' ? '●' : '✕'} ${word} · Service B calls Service A`
  let is = 'good'
  for (const id of ['browser', 'to-b', 'b', 'to-a', 'a']) {
    $(id).dataset.is = id === at ? 'broken' : is
    if (id === at) is = 'beyond'
  }
  text($('a').lastChild, a)
  text($('to-a').lastChild, { ok: '200', gone: '', overloaded: '' }[outcome] ?? word)
  text($('to-b').lastChild, { ok: '200', gone: 'no answer' }[outcome] ?? '503')
  draw()
}

function draw() {
  const now = performance.now()
  while (calls[0]?.at < now - span) calls.shift().mark.remove()
  $('marks').setAttribute('x', 100 - 100 * now / span + '%')
  const number = outcome => calls.filter(call => call.outcome === outcome).length
  for (const [id, { count }] of outcomes) text(count, number(id))
  const times = calls.map(call => call.took).sort((a, b) => a - b)
  const rank = share => times.length ? milliseconds(times[Math.ceil(share * times.length) - 1]) : '–'
  const ok = Math.floor(1000 * number('ok') / times.length) / 10
  text($('availability'), times.length ? `${ok} %` : '–')
  text($('count'), times.length)
  text($('p50'), rank(0.5))
  text($('p99'), rank(0.99))
  const [oldest] = inFlight
  const waits = now - oldest?.began
  $('waiting').setAttribute('y1', waits > 300 ? top(waits) : '100%')
  if (!state) return
  text($('b').lastChild, waits > 300 ? `waits, ${(waits / 1000).toFixed(1)} s`
    : state === 'gone' ? 'not there' : 'answers')
  const s = Math.floor((now - since) / 1000)
  const lasts = s < 60 ? `${s} s` : `${Math.floor(s / 60)} min ${s % 60} s`
  text($('since'), paused ? 'Paused.' : state === 'ok' ? `Available for ${lasts}.`
    : state === 'gone' ? `Gone for ${lasts}. This page goes on by itself when it is back.`
      : `Unavailable for ${lasts}. ${outcomes.get(state).meaning}`)
}

function go() {
  clearTimeout(timer)
  if (!paused && inFlight.size < mostInFlight) call()
  const rate = Number(document.querySelector('[name=rate]:checked').value)
  timer = setTimeout(go, document.hidden ? 5000 : 1000 / rate)
}

function select(index) {
  selected?.mark.classList.remove('selected')
  selected = calls[index]
  if (!selected) return
  const { mark, time, took, outcome, timing, id } = selected
  mark.classList.add('selected')
  $('marks').append(mark) // On top of the others.
  // In UTC, as in the logs.
  const facts = [time.toISOString().slice(11), outcomes.get(outcome).word, `took ${milliseconds(took)}`]
  if (timing) facts.push(`Service B ${timing[1]} ms, of it Service A ${timing[0]} ms`)
  text($('detail'), facts.join(' · '))
  if (id) {
    const code = Object.assign(document.createElement('code'), { textContent: id })
    $('detail').append(' · in the logs: ', code, copyButton())
  }
  Object.assign($('strip'), {
    ariaValueMax: calls.length - 1, ariaValueNow: index, ariaValueText: facts.join(', '),
  })
}

function copyButton() {
  return Object.assign(document.createElement('button'), { className: 'copy', textContent: 'copy' })
}

for (const code of document.querySelectorAll('th code')) code.after(copyButton())

document.onclick = ({ target }) => {
  if (!target.matches('.copy')) return
  getSelection().selectAllChildren(target.previousElementSibling)
  // navigator.clipboard is there only over https and on localhost.
  const done = document.execCommand('copy')
  target.textContent = done ? 'copied' : 'Ctrl+C'
  setTimeout(() => { target.textContent = 'copy' }, 1500)
}

function point(event) {
  const box = $('plot').getBoundingClientRect()
  const at = performance.now() - span * (box.right - event.clientX) / box.width
  const distance = index => Math.abs(calls[index].at - at)
  select(calls.reduce((best, _, index) => distance(index) < distance(best) ? index : best, 0))
}
$('plot').onpointermove = $('plot').onpointerdown = point
$('strip').onkeydown = event => {
  const index = calls.indexOf(selected)
  const last = calls.length - 1
  const to = {
    ArrowLeft: index < 0 ? last : Math.max(0, index - 1), ArrowRight: Math.min(last, index + 1),
    Home: 0, End: last,
  }[event.key]
  if (to === undefined) return
  event.preventDefault()
  select(to)
}

$('pause').onclick = () => {
  paused = !paused
  $('pause').ariaPressed = paused
  go()
}
$('controls').onchange = go
document.onvisibilitychange = go
if (location.search === '?projector') document.documentElement.className = 'projector'
setInterval(draw, matchMedia('(prefers-reduced-motion: reduce)').matches ? 1000 : 200)
go()
