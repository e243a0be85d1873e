"""What a teacher reads while a cluster grades."""

from __future__ import annotations

from grader.language.bilingual import both

WORKERS = both("workers that grade: {count}", "processus qui corrigent : {count}")
RESUMED = both(
    "{count} had been graded before the run was ended, and were not graded again",
    "{count} étaient corrigés avant que l'exécution ne s'arrête, et ne l'ont pas été une seconde fois",
)
POISONED = both(
    "{name}: whatever grades it ends, every time; an error of ours, which costs nothing",
    "{name} : ce qui le corrige s'arrête à chaque fois ; erreur de notre fait, qui ne coûte rien",
)
