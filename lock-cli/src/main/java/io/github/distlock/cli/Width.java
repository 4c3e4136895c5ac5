package io.github.distlock.cli;

import java.util.regex.Pattern;

/**
 * How many columns of a terminal a text takes. Most characters take one. Those of Chinese, Japanese and Korean, and
 * emoji, take two. Marks on the character before them take none.
 *
 * <p>Terminals disagree about emoji that several code points make up, such as flags and families. Such an emoji counts
 * as the sum of its parts.
 */
final class Width {
    /** What Unicode 16 calls wide or full width (UAX 11). Ranges go over code points that have no character yet. */
    private static final Pattern WIDE = Pattern.compile("["
            + "\\x{1100}-\\x{115f}\\x{231a}\\x{231b}\\x{2329}\\x{232a}\\x{23e9}-\\x{23ec}\\x{23f0}\\x{23f3}\\x{25fd}"
            + "\\x{25fe}\\x{2614}\\x{2615}\\x{2630}-\\x{2637}\\x{2648}-\\x{2653}\\x{267f}\\x{268a}-\\x{268f}\\x{2693}"
            + "\\x{26a1}\\x{26aa}\\x{26ab}\\x{26bd}\\x{26be}\\x{26c4}\\x{26c5}\\x{26ce}\\x{26d4}\\x{26ea}\\x{26f2}"
            + "\\x{26f3}\\x{26f5}\\x{26fa}\\x{26fd}\\x{2705}\\x{270a}\\x{270b}\\x{2728}\\x{274c}\\x{274e}"
            + "\\x{2753}-\\x{2755}\\x{2757}\\x{2795}-\\x{2797}\\x{27b0}\\x{27bf}\\x{2b1b}\\x{2b1c}\\x{2b50}\\x{2b55}"
            + "\\x{2e80}-\\x{303e}\\x{3041}-\\x{3247}\\x{3250}-\\x{a4cf}\\x{a960}-\\x{a97f}\\x{ac00}-\\x{d7a3}"
            + "\\x{f900}-\\x{faff}\\x{fe10}-\\x{fe19}\\x{fe30}-\\x{fe6f}\\x{ff01}-\\x{ff60}\\x{ffe0}-\\x{ffe6}"
            + "\\x{16fe0}-\\x{18dff}\\x{1aff0}-\\x{1b2ff}\\x{1d300}-\\x{1d376}\\x{1f004}\\x{1f0cf}\\x{1f18e}"
            + "\\x{1f191}-\\x{1f19a}\\x{1f200}-\\x{1f320}\\x{1f32d}-\\x{1f335}\\x{1f337}-\\x{1f37c}"
            + "\\x{1f37e}-\\x{1f393}\\x{1f3a0}-\\x{1f3ca}\\x{1f3cf}-\\x{1f3d3}\\x{1f3e0}-\\x{1f3f0}\\x{1f3f4}"
            + "\\x{1f3f8}-\\x{1f43e}\\x{1f440}\\x{1f442}-\\x{1f4fc}\\x{1f4ff}-\\x{1f53d}\\x{1f54b}-\\x{1f54e}"
            + "\\x{1f550}-\\x{1f567}\\x{1f57a}\\x{1f595}\\x{1f596}\\x{1f5a4}\\x{1f5fb}-\\x{1f64f}\\x{1f680}-\\x{1f6c5}"
            + "\\x{1f6cc}\\x{1f6d0}-\\x{1f6d2}\\x{1f6d5}-\\x{1f6df}\\x{1f6eb}\\x{1f6ec}\\x{1f6f4}-\\x{1f6fc}"
            + "\\x{1f7e0}-\\x{1f7f0}\\x{1f90c}-\\x{1f93a}\\x{1f93c}-\\x{1f945}\\x{1f947}-\\x{1f9ff}"
            + "\\x{1fa70}-\\x{1faff}\\x{20000}-\\x{3fffd}&&[^\\p{Mn}]]");

    /** Marks, vowels and final consonants of Hangul, and what directs other characters. */
    private static final Pattern WITHOUT_WIDTH = Pattern.compile("[\\p{Mn}\\p{Me}\\x{1160}-\\x{11ff}\\x{200b}-\\x{200f}"
            + "\\x{202a}-\\x{202e}\\x{2060}-\\x{2064}\\x{feff}]");

    private Width() {}

    static int of(String text) {
        return text.codePointCount(0, text.length()) + count(WIDE, text) - count(WITHOUT_WIDTH, text);
    }

    private static int count(Pattern pattern, String text) {
        return (int) pattern.matcher(text).results().count();
    }

    /** Returns as much of the beginning of a text as fits. */
    static String cut(String text, int columns) {
        int end = 0;
        for (int width = 0; end < text.length(); ) {
            String next = Character.toString(text.codePointAt(end));
            width += of(next);
            if (width > columns) {
                break;
            }
            end += next.length();
        }
        return text.substring(0, end);
    }
}
