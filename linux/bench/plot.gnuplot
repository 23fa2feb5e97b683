# Draws how long it takes until the last of N copies shows a start, and a kill.
# usage: gnuplot -c plot.gnuplot MEDIANS "TITLE OF STARTS" "TITLE OF KILLS" "NAME OF THE BASELINE" "NAME OF THE ARTICLE'S WAY"
set terminal svg size 700, 310 noenhanced font 'sans-serif,14' background '#ffffff'
set multiplot layout 1, 2
set logscale xy
set xrange [1.5:1400]
set yrange [0.2:250]
set xtics (2, 8, 64, 256, 1000) scale 0.5
set ytics ('0.3 ms' 0.3, '1 ms' 1, '3 ms' 3, '10 ms' 10, '30 ms' 30) scale 0.5
set grid linecolor '#888888' linewidth 0.3
set border 3
set tics nomirror
set xlabel 'N'
set key at graph 0.02, 0.98 left top Left reverse
set linetype 1 linecolor '#2f81f7' linewidth 2.5 pointtype 7 pointsize 0.6
set linetype 2 linecolor '#999999' linewidth 2.5 pointtype 5 pointsize 0.5
set linetype 3 linecolor '#db6d28' linewidth 2.5 pointtype 9 pointsize 0.7

set title ARG2
rows = '< grep ^started ' . ARG1
plot rows using 2:($6 / 1000) with linespoints linetype 3 title ARG5, \
     rows using 2:($3 / 1000) with linespoints linetype 1 title 'share_data', \
     rows using 2:($4 / 1000) with linespoints linetype 2 title ARG4

set title ARG3
rows = '< grep ^killed ' . ARG1
never(n) = strcol(6) eq '-' && strcol(7) ne '0/0' ? n : NaN
plot rows using 2:(never(100)) with linespoints linetype 3 notitle, \
     rows using 2:(never(150)):('∞') with labels textcolor '#db6d28' notitle, \
     rows using 2:($3 / 1000) with linespoints linetype 1 notitle, \
     rows using 2:($4 / 1000) with linespoints linetype 2 notitle
